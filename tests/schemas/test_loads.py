"""Load modes: what each publishes beside the contract's own columns, and which contracts it refuses."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
import yaml
from pydantic import ValidationError

from schemas.contract import Contract

CONTRACT = """
table: cards
about: One row for each card.
source: issuing.cards
publish: issuing.cards
load: {mode: merge, watermark: updated_at, overlap_minutes: 90, deletes: soft, reconcile_keys: 7, by: issued_on}
key: [card_id]
columns:
  card_id:    {type: int64, class: none, mask: {strategy: keep, why: a made-up number}, nullable: false}
  issued_at:  {type: timestamp, class: none, mask: {strategy: keep, why: a made-up time}, nullable: false}
  opened_on:  {type: date, class: none, mask: {strategy: keep, why: a made-up day}}
  updated_at: {type: timestamp, class: none, mask: {strategy: keep, why: a made-up time}, nullable: false}
derive:
  issued_on: {type: date, from: issued_at, as: business_date}
"""
MERGE = {"mode": "merge", "watermark": "updated_at", "deletes": "hard", "reconcile_keys": 1}


def contract(**changes: Any) -> Contract:
    """Returns the contract with changed keys."""
    return Contract.model_validate({**yaml.safe_load(CONTRACT), **changes})


def test_a_merge_table_has_the_columns_of_its_deletes() -> None:
    """Soft deletes publish `deleted_at`, a TIMESTAMP; hard ones and ignored ones publish nothing of their own."""
    soft = contract()
    assert soft.published == (*soft.columns, "issued_on", "deleted_at")
    assert soft.output_type("deleted_at") == pa.timestamp("us", "UTC")
    assert (soft.partition_by, soft.day_column, soft.watermark) == ("issued_on", "issued_at", "updated_at")
    assert soft.window_column is None
    hard = contract(load=MERGE)
    assert "deleted_at" not in hard.published
    assert hard.partition_by is None


def test_a_snapshot_is_partitioned_by_its_day() -> None:
    """`snapshot_date` is published, partitions the table, and may carry a retention."""
    kept = contract(load={"mode": "snapshot"}, retention_days=400, require_partition_filter=True)
    assert kept.published[-1] == kept.partition_by == "snapshot_date"
    assert kept.output_type("snapshot_date") == pa.date32()
    assert kept.about_column("snapshot_date")
    assert (kept.day_column, kept.window_column, kept.watermark) == (None, None, None)


@pytest.mark.parametrize(
    ("load", "changes", "said"),
    [
        ({"watermark": "issued_on"}, {}, "load.watermark names issued_on, which is not a kept timestamp column"),
        ({"watermark": "gone_at"}, {}, "load.watermark names gone_at"),
        ({"overlap_minutes": 0}, {}, "overlap_minutes"),
        ({"reconcile_keys": None}, {}, "reconcile_keys says how often"),
        ({"deletes": "ignore"}, {}, "reconcile_keys says how often"),
        ({"by": "opened_on"}, {}, "columns.opened_on places rows in days"),
        ({"by": "updated_at"}, {}, "neither a derived business date nor a kept date"),
        ({}, {"retention_days": 30}, "belong to tables with partitions"),
        ({"deletes": "soft"}, {"key": ["card_id", "deleted_at"]}, "key names a column that load.mode adds"),
    ],
)
def test_a_merge_that_could_lose_rows_is_refused(
    load: dict[str, object], changes: dict[str, object], said: str
) -> None:
    """What a merge needs to find every change and every delete is demanded by the model, by name."""
    with pytest.raises(ValidationError, match=said):
        contract(load={**MERGE, **load}, **changes)


def test_a_column_of_the_mode_cannot_be_the_contracts_too() -> None:
    """A source column named like the mode's own is refused, because one would hide the other."""
    columns = yaml.safe_load(CONTRACT)["columns"]
    with pytest.raises(ValidationError, match=r"columns\.snapshot_date is a column that load\.mode adds"):
        contract(load={"mode": "snapshot"}, columns={**columns, "snapshot_date": columns["opened_on"]})
