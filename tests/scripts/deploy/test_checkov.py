"""checkov's findings are the written list of what is left as it is: nothing more, and nothing less."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
import yaml

from tests.scripts.deploy.conftest import DEPLOY, PYTHON, broken_copy

CONFIGURATION = DEPLOY / "checks/checkov.yaml"
SKIPPED = set(yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["skip-check"])


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Returns what checkov finds in the root, and in a copy whose reader has a public address; nothing is skipped."""
    folder = tmp_path_factory.mktemp("roots")
    shutil.copytree(DEPLOY / "terraform", folder / "whole")
    broken_copy(
        folder,
        "modules/aurora/main.tf",
        "publicly_accessible             = false",
        "publicly_accessible             = true",
    ).rename(folder / "public")
    done = subprocess.run(  # noqa: S603  the checker of the deployment's environment
        [
            *(str(PYTHON.with_name("checkov")), "--directory", str(folder), "--framework", "terraform"),
            *("--skip-download", "--compact", "--output", "json", "--var-file", str(folder / "whole/example.tfvars")),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    failed = json.loads(done.stdout)["results"]["failed_checks"]
    return {
        root: {one["check_id"] for one in failed if one["file_path"].startswith(f"/{root}/")}
        for root in ("whole", "public")
    }


@pytest.mark.deploy
def test_findings_are_the_written_list(found: dict[str, set[str]]) -> None:
    """What checkov finds is skipped with a reason; a skip that nothing needs any more is taken out."""
    assert found["whole"] == SKIPPED


@pytest.mark.deploy
def test_a_new_finding_shows(found: dict[str, set[str]]) -> None:
    """A reader with a public address is found, whatever else is skipped."""
    assert found["public"] - SKIPPED == {"CKV_AWS_17"}


def test_every_skip_has_its_reason() -> None:
    """Beside each skipped check stands why."""
    lines = [line for line in CONFIGURATION.read_text(encoding="utf-8").splitlines() if line.startswith("  - ")]
    assert len(lines) == len(SKIPPED)
    assert all(re.search(r"# \S+ \S+", line) for line in lines)
