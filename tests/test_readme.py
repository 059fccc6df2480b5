"""The pages for people tell the truth: commands and links exist, settings load, contract lines fit."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from etl.cli import app
from etl.settings import Settings
from schemas.columns import Column

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "etl/site/SITE.md",
    "etl/upkeep/UPKEEP.md",
    "expectations/SUITES.md",
    "jobs/RUNNING.md",
    "schemas/CONTRACTS.md",
    "schemas/views/ANALYSTS.md",
    "scripts/LOCAL.md",
    "scripts/benchmarks/SCALE.md",
)
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
MOST_README_LINES = 200


def block(page: str, language: str, containing: str) -> str:
    """Returns the fenced block of a language that contains a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXTS[page], re.DOTALL)
    return next(found for found in blocks if containing in found)


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    """A newcomer reads it in one go, and finds each of the other pages from it."""
    assert len(TEXTS["README.md"].splitlines()) <= MOST_README_LINES
    assert all(f"]({page})" in TEXTS["README.md"] for page in PAGES[1:])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page: str) -> None:
    """Each `kagemusha …` of a page names a command, and each `--option` after it an option of that command."""
    known = get_command(app)
    for words in re.findall(r"kagemusha ((?:[a-z][a-z-]* ?)+)((?:--[a-z]+ ?\S* ?)*)", TEXTS[page]):
        command = known
        for word in words[0].split():
            subcommands = getattr(command, "commands", {})
            if word not in subcommands:
                break
            command = subcommands[word]
        assert command is not known, words
        options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", words[1])) <= options, words


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page: str) -> None:
    """Each `make …` of a page is a documented target."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607
    targets = set(re.findall(r"make ([a-z-]+)", shown))
    named = {first or second for first, second in re.findall(r"`make ([a-z-]+)`|\$ make ([a-z-]+)", TEXTS[page])}
    assert named <= targets


def links() -> list[tuple[str, str]]:
    """Returns each link of each page as a path from the checkout's root, and each path that a page names."""
    found = set()
    for page, text in TEXTS.items():
        targets = re.findall(r"\]\(([^)#:]+)\)", text)
        found |= {(page, (ROOT / page).parent.joinpath(target).resolve().as_posix()) for target in targets}
        found |= {(page, (ROOT / path).as_posix()) for path in re.findall(r"`([a-z_]+/[A-Za-z_./]+)`", text)}
    return sorted(found)


@pytest.mark.parametrize(("page", "target"), links())
def test_links_lead_somewhere(page: str, target: str) -> None:
    """Each link and each path is in the checkout; a folder of `etl/` may be named without it."""
    named = Path(target).relative_to(ROOT)
    assert (ROOT / named).exists() or (ROOT / "etl" / named).exists(), page


@pytest.mark.parametrize("page", ["README.md", "jobs/RUNNING.md"])
def test_the_settings_load(page: str) -> None:
    """The example settings fit the model."""
    assert (
        Settings.model_validate(tomllib.loads(block(page, "toml", "[source]"))).bigquery.location == "asia-northeast1"
    )


def test_the_contract_lines_fit() -> None:
    """The example columns fit the model."""
    columns = yaml.safe_load(block("README.md", "yaml", "credit_limit"))["columns"]
    assert [Column.model_validate(column).mask.strategy for column in columns.values()] == [
        "fpe",
        "drop",
        "tokenize",
        "keep",
    ]
