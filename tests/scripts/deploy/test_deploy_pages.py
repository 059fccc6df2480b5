"""The pages of the deployment tell the truth: links and targets exist, counts and versions are those of the code."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from scripts.deploy.checks.invariants import INVARIANTS
from scripts.deploy.package import ARCHIVE
from tests.scripts.deploy.conftest import DEPLOY, ROOT

PAGES = {name: (DEPLOY / name).read_text(encoding="utf-8") for name in ("README.md", "DECISIONS.md")}
README = PAGES["README.md"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    """Each link of the page is a file beside it, or a heading of it."""
    headings = {re.sub(r"[^a-z ]", "", line.lower()).strip().replace(" ", "-") for line in PAGES[name].splitlines()}
    for link in re.findall(r"\]\(([^)]+)\)", PAGES[name]):
        assert link.removeprefix("#") in headings if link.startswith("#") else (DEPLOY / link).exists(), link


def test_make_targets_exist() -> None:
    """Each `make …` is a documented target."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607
    assert set(re.findall(r"make ([a-z]+-?[a-z]+)[` ]", README)) <= set(re.findall(r"make ([a-z-]+)", shown))


def test_outputs_exist() -> None:
    """Each output that a step asks for is one of the root."""
    outputs = set(
        re.findall(r'^output "(\w+)"', (DEPLOY / "terraform/outputs.tf").read_text(encoding="utf-8"), re.MULTILINE)
    )
    asked = set(re.findall(r"terraform output -raw (\w+)", README)) | {"application_endpoint"}
    assert asked <= outputs


def test_figures_are_the_codes() -> None:
    """The number of invariants, the providers' versions and the archive's name are those of the code."""
    assert f"{len(INVARIANTS)} invariants hold" in README
    for name in ("aws", "google"):
        version = json.loads((DEPLOY / f"checks/schemas/{name}.json").read_text(encoding="utf-8"))["version"]
        assert f"{name} {version}" in README
    assert f"{ARCHIVE}: " in README
    smoke = (ROOT / "tests/jobs/test_smoke.py").read_text(encoding="utf-8")
    broken = len(re.findall(r"^def test_(?!a_whole)", smoke, re.MULTILINE))
    assert f"{['four', 'five', 'six', 'seven'][broken - 4]} broken installations" in README


def test_costs_are_what_their_prices_make() -> None:
    """The sums of the table follow from its prices: 730 hours, 30 nights."""
    rows = [[cell.strip() for cell in line.split("|")] for line in README.splitlines() if line.startswith("| ")]
    told = {row[2]: row[4] for row in rows if len(row) == 7}
    assert told["Glue, 4 × G.1X (4 DPU), 20 min a night"] == f"{4 * 0.44 / 3 * 30:.0f}"
    assert told["five interface endpoints, one zone"] == f"{5 * 0.014 * 730:.0f}"
    assert told["a NAT gateway, if the VPC has none"] == f"{0.062 * 730:.0f}"
    assert told["ETL reader, 0.5 ACU all day"] == f"{0.5 * 0.20 * 730:.0f}"
    assert told["the same, asleep but for an hour of 4 ACU a night (`min_acu = 0`)"] == f"{4 * 0.20 * 30:.0f}"
    assert "up to 316" in PAGES["DECISIONS.md"]
    assert round(1.976 * 8 * 20) == 316
