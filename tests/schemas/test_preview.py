"""The preview shows each column of a contract at work, on values that are made up and under a key that is not ours."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from etl.cli import app
from masking.policy import ColumnClass
from schemas.contract_file import load_contracts
from schemas.preview import NOT_READ, NULL, REFUSED, made_up, preview
from schemas.types import ColumnType

CONTRACTS = load_contracts()


@pytest.mark.parametrize("table", CONTRACTS)
def test_every_bundled_column_is_shown(table: str) -> None:
    """Each column comes once; a dropped one is not read, a kept one stays, every other one changes and is masked."""
    contract = CONTRACTS[table]
    shown = preview(contract)
    assert [one.column for one in shown] == list(contract.columns)
    for one in shown:
        assert one.after != REFUSED, one
        assert (one.after == NOT_READ) == (one.strategy == "drop")
        assert (one.after == NULL) == (one.strategy == "null")
        assert (one.after == one.before) == (one.strategy == "keep"), one


@pytest.mark.parametrize("kind", ["string", "json", "bytes", "int64", "float64", "numeric(20,2)", "bool", "date"])
@pytest.mark.parametrize("column_class", ColumnClass)
def test_every_class_has_a_value_of_every_type(column_class: ColumnClass, kind: str) -> None:
    """A made-up value of a class fits any type of the types table."""
    column_type = ColumnType.parse(kind)
    value = made_up(column_class, column_type.name, column_type.scale)
    assert value is not None
    if kind == "json":
        assert json.loads(str(value))


def test_the_command_shows_a_table() -> None:
    """`kagemusha preview payments` shows the memo with its placeholders and connects to nothing."""
    told = CliRunner().invoke(app, ["preview", "payments"])
    assert told.exit_code == 0
    memo = next(line for line in told.stdout.splitlines() if line.startswith("memo "))
    assert memo.endswith("カード [PAN]、連絡先 [EMAIL]")
    assert "scrub_text" in memo
