"""What tests of the deployment share: Terraform's core in an environment of its own, on a copy that may be broken."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "scripts/deploy"
PYTHON = ROOT / ".venv-deploy/bin/python"

CHECKS = [str(PYTHON), str(DEPLOY / "checks/terraform.py")]


@dataclass(frozen=True)
class Ran:
    """How commands of Terraform ended, and all that they said."""

    code: int
    said: str


Terraform = Callable[..., Ran]


@pytest.fixture(scope="session")
def terraform() -> Iterator[Terraform]:
    """Yields a function that runs commands of Terraform's core in a folder; the core is loaded once for all tests."""
    with subprocess.Popen(CHECKS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  ours
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def run(folder: Path, *commands: str) -> Ran:
            print(json.dumps([str(folder), *commands]), file=asked, flush=True)
            return Ran(*json.loads(answers.readline()))

        yield run
        asked.close()


def broken_copy(folder: Path, file: str, line: str, instead: str) -> Path:
    """Returns a copy of the Terraform root in which one text of one file reads otherwise."""
    copy = folder / "terraform"
    shutil.copytree(DEPLOY / "terraform", copy)
    path = copy / file
    text = path.read_text(encoding="utf-8")
    assert text.count(line) == 1, f"{file} holds {text.count(line)} times: {line}"
    path.write_text(text.replace(line, instead), encoding="utf-8")
    return copy


@pytest.fixture
def break_line(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Returns a function that breaks a line of a copy of the root."""
    return lambda file, line, instead: broken_copy(tmp_path, file, line, instead)
