"""The README tells the truth: commands and links exist, its settings load, its contract lines fit."""

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
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """Returns the fenced block of a language that contains a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return next(found for found in blocks if containing in found)


def test_every_command_exists() -> None:
    """Each `kagemusha …` of the README names a command, and each `--option` after it an option of that command."""
    known = get_command(app)
    for words in re.findall(r"kagemusha ((?:[a-z][a-z-]* ?)+)((?:--[a-z]+ ?\S* ?)*)", TEXT):
        command = known
        for word in words[0].split():
            subcommands = getattr(command, "commands", {})
            if word not in subcommands:
                break
            command = subcommands[word]
        assert command is not known, words
        options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", words[1])) <= options, words


def test_every_make_target_exists() -> None:
    """Each `make …` of the README is a documented target."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607
    targets = set(re.findall(r"make ([a-z-]+)", shown))
    assert set(re.findall(r"`make ([a-z-]+)`|\$ make ([a-z-]+)", TEXT)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)|`([a-z_]+/[A-Za-z_./]+)`", TEXT))))
def test_links_lead_somewhere(link: tuple[str, str]) -> None:
    """Each link and each path is in the checkout."""
    assert (ROOT / (link[0] or link[1])).exists()


def test_the_settings_load() -> None:
    """The example settings fit the model."""
    assert Settings.model_validate(tomllib.loads(block("toml", "[source]"))).bigquery.location == "asia-northeast1"


def test_the_contract_lines_fit() -> None:
    """The example columns fit the model."""
    columns = yaml.safe_load(block("yaml", "credit_limit"))["columns"]
    assert [Column.model_validate(column).mask.strategy for column in columns.values()] == [
        "fpe",
        "drop",
        "tokenize",
        "keep",
    ]
