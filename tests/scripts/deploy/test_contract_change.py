"""The workflow of a contract change: its commands exist, and a newly exposed column is named and has to be approved."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from etl.cli import app
from schemas.contract_file import BUNDLED
from scripts.deploy.ci.exposure_comment import comment
from tests.scripts.deploy.conftest import DEPLOY, ROOT

FILE = DEPLOY / "ci/contract_change.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
COMMANDS = "\n".join(step.get("run", "") for step in STEPS)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """Returns the bundled contracts as they were before a change."""
    folder = tmp_path / "schemas"
    shutil.copytree(BUNDLED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def changes(old: Path, new: Path) -> tuple[int, list[dict[str, Any]]]:
    """Returns the exit code and the changes of `kagemusha diff`, run as the workflow runs it."""
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "etl.cli", "diff", str(old), "--format", "json", "--contracts", str(new)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout)


def test_a_newly_exposed_column_is_named(before: Path) -> None:
    """The comment names table and column first, and the exit code by which the workflow asks for approval is 1."""
    path = before / "clubs.yaml"
    text = path.read_text(encoding="utf-8")
    kept = re.search(r"^  (\w+): +\{type: string, .*(mask: \{strategy: keep, why: \{[^}]*\}\}).*$", text, re.MULTILINE)
    assert kept is not None
    path.write_text(text.replace(kept[0], kept[0].replace(kept[2], "mask: {strategy: drop}")), encoding="utf-8")
    code, found = changes(before, BUNDLED)
    assert code == 1
    told = comment(found)
    assert re.search(r"\*\*\d+ newly exposed\. The environment `exposure` has to approve\.\*\*", told)
    assert f"| clubs | {kept[1]} |" in told


def test_a_change_that_shows_nothing_more_needs_no_approval(before: Path) -> None:
    """Equal contracts give a comment of one sentence and exit code 0."""
    code, found = changes(before, BUNDLED)
    assert code == 0
    assert comment(found) == "### Contracts\n\nNothing that can be seen changes.\n"


def test_approval_hangs_on_the_exposure() -> None:
    """The approval waits for the checks and names an environment with a reviewer exactly when something is exposed."""
    approval = WORKFLOW["jobs"]["approval"]
    assert approval["needs"] == "checks"
    assert approval["environment"] == "${{ needs.checks.outputs.exposes == 'true' && 'exposure' || 'no-exposure' }}"
    assert WORKFLOW["jobs"]["checks"]["outputs"] == {"exposes": "${{ steps.diff.outputs.exposes }}"}
    assert [step["id"] for step in STEPS if "id" in step] == ["diff"]


def test_what_the_workflow_runs_exists() -> None:
    """Each kagemusha command and option, each make target and each script is there."""
    group: Any = get_command(app)
    for name, options in re.findall(r"kagemusha ([a-z]+)((?: [^\n>|]*)?)", COMMANDS):
        known = {spelled for option in group.commands[name].params for spelled in option.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= known
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607
    assert set(re.findall(r"make ([a-z-]+)", COMMANDS)) <= set(re.findall(r"make ([a-z-]+)", shown))
    for script in re.findall(r"scripts/\S+\.py", COMMANDS):
        assert (ROOT / script).exists()


def test_nothing_lasting_is_in_the_workflow() -> None:
    """It logs in by a token of this very run; there is no secret to steal, and rights are given job by job."""
    assert "secrets." not in FILE.read_text(encoding="utf-8")
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["night"]["permissions"]["id-token"] == "write"


def test_required_checks_always_run() -> None:
    """No filter of paths keeps a required check from reporting, and no change passes beside the check."""
    triggers = WORKFLOW[True]  # what YAML 1.1 makes of the word `on`
    assert "pull_request" in triggers
    assert triggers["pull_request"] is None
