"""checkov's findings are the written list of what is left as it is: nothing more, and nothing less."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.scripts.deploy.conftest import DEPLOY, PYTHON

CONFIGURATION = DEPLOY / "checks/checkov.yaml"
SKIPPED = set(yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["skip-check"])


def found(folder: Path) -> set[str]:
    """Returns the ids of the checks that a folder fails, with nothing skipped."""
    done = subprocess.run(  # noqa: S603  the checker of the deployment's environment
        [
            *(str(PYTHON.with_name("checkov")), "--directory", str(folder), "--framework", "terraform"),
            *("--skip-download", "--compact", "--output", "json", "--var-file", str(folder / "example.tfvars")),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    return {one["check_id"] for one in json.loads(done.stdout)["results"]["failed_checks"]}


@pytest.mark.deploy
def test_findings_are_the_written_list() -> None:
    """What checkov finds is skipped with a reason; a skip that nothing needs any more is taken out."""
    assert found(DEPLOY / "terraform") == SKIPPED


@pytest.mark.deploy
def test_a_new_finding_shows(break_line: Callable[[str, str, str], Path]) -> None:
    """A reader with a public address is found, whatever else is skipped."""
    folder = break_line(
        "modules/aurora/main.tf",
        "publicly_accessible             = false",
        "publicly_accessible             = true",
    )
    assert found(folder) - SKIPPED == {"CKV_AWS_17"}


def test_every_skip_has_its_reason() -> None:
    """Beside each skipped check stands why."""
    lines = [line for line in CONFIGURATION.read_text(encoding="utf-8").splitlines() if line.startswith("  - ")]
    assert len(lines) == len(SKIPPED)
    assert all(re.search(r"# \S+ \S+", line) for line in lines)
