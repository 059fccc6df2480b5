"""What tests of the deployment share: Terraform's core in an environment of its own, on a copy that may be broken."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "scripts/deploy"
PYTHON = ROOT / ".venv-deploy/bin/python"

Terraform = Callable[..., subprocess.CompletedProcess[str]]


def run_terraform(folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    """Runs commands of Terraform's core in a folder; their output is one text."""
    return subprocess.run(  # noqa: S603  our own script
        [str(PYTHON), str(DEPLOY / "checks/terraform.py"), str(folder), *commands],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


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
