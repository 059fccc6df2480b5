"""kagemusha diff compares contracts with a folder or a git revision, and its exit code says whether more is seen."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.authoring.git_revision import contracts_at
from etl.cli import app
from schemas.contract_file import BUNDLED
from schemas.errors import ContractInvalid


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """Returns a copy of two contracts in a folder of a git repository, committed there under the tag `before`."""
    folder = tmp_path / "repository" / "schemas"
    folder.mkdir(parents=True)
    for name in ("clubs", "card_designs"):
        shutil.copy(BUNDLED / f"{name}.yaml", folder)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "contracts"], ["tag", "before"]):
        who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(folder.parent), *who, *command], check=True)  # noqa: S603, S607  git of the user
    return folder


def diff(old: str | Path, contracts: Path, *options: str) -> tuple[int, str]:
    """Runs the command and gives its exit code and output."""
    told = CliRunner().invoke(app, ["diff", str(old), "--contracts", str(contracts), *options])
    return told.exit_code, told.stdout


def expose(contracts: Path) -> None:
    """Publishes the address of a club's contact, which the contract publishes as NULL."""
    path = contracts / "clubs.yaml"
    text = path.read_text(encoding="utf-8")
    changed = text.replace('class: email, mask: {strategy: "null"}', "class: email, mask: {strategy: email_domain}")
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def test_more_than_before_is_exit_code_1(contracts: Path, tmp_path: Path) -> None:
    """Against a revision and against a folder the same is told; back again, nothing more is seen and the code is 0."""
    as_it_was = tmp_path / "as it was"
    shutil.copytree(contracts, as_it_was)
    assert diff("before", contracts) == (0, "Nothing that can be seen changes.\n")
    expose(contracts)
    code, text = diff("before", contracts)
    assert code == 1
    assert text == "clubs\n! newly visible  contact_email: null → email_domain\n1 newly visible\n"
    assert diff(as_it_was, contracts) == (code, text)
    assert diff(contracts, as_it_was)[0] == 0


def test_json_says_what_exposes(contracts: Path) -> None:
    """`--format json` is a list of changes with table, column, verdict, before, after and whether it exposes."""
    expose(contracts)
    (change,) = json.loads(diff("before", contracts, "--format", "json")[1])
    assert (change["table"], change["column"], change["verdict"]) == ("clubs", "contact_email", "newly visible")
    assert change["exposes"]


@pytest.mark.parametrize("old", ["no-such-revision", "--output=x", "HEAD:schemas/clubs.yaml"])
def test_what_names_nothing_is_refused(contracts: Path, old: str) -> None:
    """A name that is no folder and no commit never looks like an empty difference, and is never an option of git."""
    with pytest.raises(ContractInvalid), contracts_at(old, contracts):
        pass
