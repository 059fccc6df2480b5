"""`kagemusha tokenize`: the tokens that tables hold, for domains that the settings name, written down first."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.keys import create_keyring_file, open_keyring
from etl.upkeep.detokenize.access_log import AccessLogUnusable
from etl.upkeep.tokenize import TokenizeRefused
from masking.errors import KeyUnusable
from masking.examples import EXAMPLE_DAY
from masking.keyring import KeyRef
from masking.strategies import KeyedStrategy, MaskContext
from masking.tokens import tokens
from schemas.contract_file import load_contracts
from schemas.errors import DomainRefused
from tests.etl.upkeep.test_detokenize import SETTINGS, Desk

ALLOWED = '[tokenize]\ndomains = ["member", "phone", "pan", "email", "nobody"]\n'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Returns settings that allow some domains, a new keyring, and a place for the access log."""
    found = Desk(tmp_path / "settings.toml", tmp_path / "keyring.json", tmp_path / "audit" / "looks.jsonl")
    create_keyring_file(found.keyring)
    found.settings.write_text(SETTINGS.format(keyring=found.keyring) + ALLOWED, encoding="utf-8")
    return found


def run(desk: Desk, domain: str, values: str, *arguments: str) -> Result:
    """Runs the command in this process."""
    open_keyring.cache_clear()
    given = ["tokenize", "--settings", str(desk.settings), "--domain", domain, "--audit-log", str(desk.log)]
    return CliRunner().invoke(app, [*given, *(arguments or ("--stdin", "--purpose", "report 7"))], input=values)


def mask_of(table: str, column: str) -> KeyedStrategy:
    """Returns the mask of a bundled contract's column."""
    mask = load_contracts()[table].columns[column].mask
    assert isinstance(mask, KeyedStrategy)
    return mask


@pytest.mark.parametrize(
    ("domain", "table", "column", "lines", "values"),
    [
        ("member", "payments", "member_id", "42\n\n042\n", pa.array([42, None, 42])),
        ("email", "members", "email", "\ufefftaro@example.jp\n", pa.array(["taro@example.jp"])),
        ("phone", "members", "phone", "090-1234-5678\n０９０１２３４５６７８\n", pa.array(["09012345678"] * 2)),
        ("pan", "payments", "pan", "4111111111111111\n", pa.array(["4111111111111111"])),
    ],
)
def test_command_api_and_pipeline_make_one_token(
    desk: Desk, domain: str, table: str, column: str, lines: str, values: pa.Array
) -> None:
    """What the command prints is what a load publishes and what the public API returns."""
    done = run(desk, domain, lines)
    assert (done.exit_code, done.stderr) == (0, "")
    keys, mask = open_keyring(KeyRef(desk.where)), mask_of(table, column)
    loaded = mask.mask(values, MaskContext(keys, EXAMPLE_DAY)).values.to_pylist()
    assert [line or None for line in done.stdout.split("\n")[:-1]] == loaded == tokens(values.to_pylist(), keys, mask)


def test_the_use_is_written_down_without_a_value(desk: Desk) -> None:
    """Who, why, which domain and how many; neither values nor tokens, which together would be a key of their own."""
    run(desk, "member", "42\n73\n")
    asked, made = desk.looks()
    assert (asked["event"], asked["domain"], asked["count"]) == ("tokens asked", "member", 2)
    assert (asked["purpose"], bool(asked["user"])) == ("report 7", True)
    assert (made["event"], made["look"], made["count"], made["failed"]) == ("tokens made", asked["look"], 2, 0)
    assert not {"values", "tokens"} & {*asked, *made}
    assert json.dumps("73") not in desk.log.read_text(encoding="utf-8")


def test_a_line_that_is_no_value_is_counted(desk: Desk) -> None:
    """It becomes an empty line, the others become tokens, and the exit code says so."""
    done = run(desk, "member", "42\nnobody\n")
    assert done.exit_code == 1
    assert done.stdout.split("\n")[1] == ""
    assert "1 lines are no values of domain member" in done.stderr
    done = run(desk, "phone", "09012345678\nnobody\n")
    assert (done.exit_code, done.stdout.count("\n"), done.stdout.split("\n")[1]) == (1, 2, "")


@pytest.mark.parametrize(
    ("domain", "arguments", "error", "says"),
    [
        ("card", (), TokenizeRefused, "do not allow tokens of domain card"),
        ("nobody", (), DomainRefused, "No contract has that domain"),
        ("member", ("--stdin",), TokenizeRefused, "No purpose was given"),
        ("member", ("--purpose", "a case"), TokenizeRefused, "Values come on standard input"),
        ("member", ("--stdin", "--purpose", "a case", "--version", "7"), KeyUnusable, "Key version 7 is not"),
    ],
)
def test_what_is_not_allowed_makes_no_token(
    desk: Desk, domain: str, arguments: tuple[str, ...], error: type[Exception], says: str
) -> None:
    """A domain that the settings or the contracts do not name, no purpose, another key: nothing is printed."""
    done = run(desk, domain, "42\n", *arguments)
    assert isinstance(done.exception, error)
    assert says in str(done.exception)
    assert done.stdout == ""


def test_without_an_access_log_no_token_is_made(desk: Desk) -> None:
    """There is no use that nobody can read of later."""
    given = ["tokenize", "--settings", str(desk.settings), "--domain", "member", "--stdin", "--purpose", "a case"]
    done = CliRunner().invoke(app, given, input="42\n")
    assert isinstance(done.exception, AccessLogUnusable)
    assert "No token was made" in str(done.exception)
