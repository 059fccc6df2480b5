"""Rows whose values cannot be masked leave the published table, are named by masked key, and never exceed a budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from etl.errors import STOPPED
from etl.stage import Quarantine
from etl.stage.quarantine import QuarantinedRow, QuarantineFull, quarantined
from tests.etl.conftest import DAY, Issuer

BAD = "4929000011112223"
CONTRACT = """
table: quarantine_cards
about: One row for each card of this test.
source: quarantine.cards
publish: quarantine.cards
load: {mode: full}
key: [card_id, kind]
reconcile: [amount]
columns:
  card_id: {type: int64, class: identifier, mask: {strategy: tokenize, domain: card}}
  kind: {type: string, class: none, mask: {strategy: keep, why: two codes}}
  amount: {type: "numeric(12,2)", class: none, mask: {strategy: keep, why: the measure itself}}
  pan: {type: string, class: pan, mask: {strategy: fpe, domain: pan, on_invalid: quarantine, quarantine_budget: 2}}
"""


def row(number: int, *columns: str) -> Quarantine:
    """A quarantine of one row."""
    return Quarantine((QuarantinedRow((f"k1_{number}",), dict.fromkeys(columns, "fpe")),))


def test_a_budget_counts_rows_a_column_over_all_slices() -> None:
    """Each column has its own budget; rows of several slices add up."""
    together = Quarantine().and_also([row(1, "pan", "old_pan"), row(2, "pan")])
    assert together.within({"pan": 2, "old_pan": 1}) is together
    with pytest.raises(QuarantineFull, match="2 values of pan cannot be masked and its quarantine holds 1") as caught:
        together.within({"pan": 1, "old_pan": 1})
    assert caught.value.exit_code == STOPPED


def test_a_row_is_named_by_its_masked_key_and_reason() -> None:
    """The line has key and causes; NULL in a key shows as such."""
    batch = pa.record_batch({"id": ["k1_ab", None], "kind": [1, 2], "pan": pa.nulls(2, pa.string())})
    found = quarantined(batch, [{"pan": "fpe"}, {"pan": "fpe"}], ["id", "kind"], ["kind"])
    assert [one.line for one in found.rows] == [
        "k1_ab 1: pan cannot be masked by fpe",
        "NULL 2: pan cannot be masked by fpe",
    ]
    assert found.sums == {"kind": 3}


@pytest.fixture
def cards(issuer: Issuer, tmp_path: Path) -> Iterator[Path]:
    """Yields the folder of one contract whose source table has five cards, two of them with impossible numbers."""
    folder = tmp_path / "schemas"
    folder.mkdir()
    (folder / "quarantine_cards.yaml").write_text(CONTRACT, encoding="utf-8")
    issuer.source("CREATE SCHEMA quarantine")
    issuer.source("CREATE TABLE quarantine.cards (card_id int8, kind text, amount numeric(12,2), pan text)")
    issuer.source(
        "INSERT INTO quarantine.cards VALUES (1, 'a', 10.50, '4111111111111111'), (2, 'a', 0.25, NULL), "
        f"(3, 'b', 7.00, '{BAD}'), (4, 'b', 100.00, '{BAD}'), (5, 'a', 1.00, '5555555555554444')"
    )
    yield folder
    issuer.source("DROP SCHEMA quarantine CASCADE")


@pytest.mark.stack
def test_rows_in_quarantine_leave_the_table_and_the_rest_reconciles(issuer: Issuer, cards: Path) -> None:
    """Three of five rows are published; rows and sums balance; the ledger names the other two by token only."""
    result = issuer.load(DAY, contracts=cards)
    assert (result.tables[0].rows, result.tables[0].quarantined) == (3, 2)
    assert issuer.published("SELECT count(*), sum(amount) FROM quarantine.cards") == [(3, Decimal("11.75"))]
    ((told, sums),) = issuer.published(
        f"SELECT quarantined, sums FROM ops.table_loads WHERE run_id = '{result.run_id}'"
    )
    lines = json.loads(told)
    assert len(lines) == 2
    assert all(line.startswith("k1_") and line.endswith(" b: pan cannot be masked by fpe") for line in lines)
    assert json.loads(sums) == {"amount": "11.75"}
    assert BAD not in told


@pytest.mark.stack
def test_one_row_more_than_the_budget_stops_the_table(
    issuer: Issuer, cards: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Over budget the published table stays as it was; the error counts, names no value, and its code says why."""
    issuer.load(DAY, contracts=cards)
    issuer.source(f"INSERT INTO quarantine.cards VALUES (6, 'b', 1.00, '{BAD}'), (7, 'b', 1.00, '4111111111111111')")
    result = issuer.run(DAY, contracts=cards)
    assert result.exit_code == STOPPED
    assert "3 values of pan cannot be masked and its quarantine holds 2 rows" in result.tables[0].error
    assert BAD not in result.tables[0].error + "".join(capfd.readouterr())
    assert issuer.published("SELECT count(*) FROM quarantine.cards") == [(3,)]
