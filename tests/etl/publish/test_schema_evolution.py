"""Every kind of change in EVOLUTION.md, made on a real table: allowed or refused exactly as the page says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse
from etl.errors import PublishRefused
from etl.publish.tables import ensure_table
from schemas.contract import Contract

pytestmark = pytest.mark.stack
PAGE = Path(__file__).parents[3] / "etl" / "publish" / "EVOLUTION.md"
ROWS = re.findall(r"^\| (.+?) \| (allowed|refused) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
CONTRACT = """
table: visits
about: One row for each visit.
source: test.visits
publish: evolving.{name}
load: {{mode: partition, by: visited_on}}
key: [visit]
cluster_by: [visit]
retention_days: 30
columns:
  visit:      {{type: string, class: none, mask: {{strategy: keep, why: a made-up word}}, about: What was seen.}}
  cost:       {{type: "numeric(10,2)", class: none, mask: {{strategy: keep, why: a made-up sum}}}}
  guests:     {{type: int64, class: none, mask: {{strategy: keep, why: a made-up number}}}}
  visited_at: {{type: timestamp, class: none, mask: {{strategy: keep, why: a made-up time}}, nullable: false}}
  left_at:    {{type: timestamp, class: none, mask: {{strategy: keep, why: a made-up time}}, nullable: false}}
derive:
  visited_on: {{type: date, from: visited_at, as: business_date}}
"""
KEEP = {"strategy": "keep", "why": "a made-up thing"}
NOTE = {"type": "string", "class": "none", "mask": KEEP}
LEFT_ON = {"type": "date", "from": "left_at", "as": "business_date"}
TOKEN = {"strategy": "tokenize", "domain": "visit"}
MERGE = {"mode": "merge", "watermark": "visited_at", "deletes": "soft", "reconcile_keys": 7}
FULL = {"load": {"mode": "full"}, "retention_days": None}

# change → (what the table is before, what the contract then says); a column set to None is removed
CASES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "a column is added": ({}, {"columns": {"note": NOTE}}),
    "a derived column is added": ({}, {"derive": {"left_on": LEFT_ON}}),
    "columns change their order": ({}, {"order": ["left_at", "visit", "cost", "guests", "visited_at"]}),
    "a column's description changes": ({}, {"columns": {"visit": {"about": "Who was seen."}}}),
    "the table's description changes": ({}, {"about": "One visit."}),
    "`nullable` changes": ({}, {"columns": {"cost": {"nullable": False}}}),
    "a numeric grows within its BigQuery type": ({}, {"columns": {"cost": {"type": "numeric(12,2)"}}}),
    "a mask changes and its type does not": ({}, {"columns": {"visit": {"class": "identifier", "mask": TOKEN}}}),
    "`cluster_by` changes": ({}, {"cluster_by": ["guests"]}),
    "`retention_days` changes": ({}, {"retention_days": 7}),
    "`require_partition_filter` changes": ({}, {"require_partition_filter": True}),
    "the mode changes from full to merge": (FULL, {**FULL, "load": MERGE}),
    "a column is removed": ({}, {"columns": {"cost": None}}),
    "a column is renamed": ({}, {"columns": {"cost": None, "price": {**NOTE, "type": "numeric(10,2)"}}}),
    "a type widens, e.g. INT64 → NUMERIC": ({}, {"columns": {"guests": {"type": "numeric(12,0)"}}}),
    "a type changes otherwise": ({}, {"columns": {"guests": {"type": "string"}}}),
    "a mask changes and its type does too": ({}, {"columns": {"guests": {"class": "identifier", "mask": TOKEN}}}),
    "the column of the partitions changes": (
        {"derive": {"left_on": LEFT_ON}},
        {"derive": {"left_on": LEFT_ON}, "load": {"mode": "partition", "by": "left_on"}},
    ),
    "the mode changes from partition to full": ({}, FULL),
    "the mode changes from full to snapshot": (FULL, {**FULL, "load": {"mode": "snapshot"}}),
}


def contract(name: str, changes: Mapping[str, Any]) -> Contract:
    """Returns the contract with changes; those of columns and derived columns change these only."""
    raw = yaml.safe_load(CONTRACT.format(name=name))
    for part in ("columns", "derive"):
        for column, change in changes.get(part, {}).items():
            raw[part][column] = change and {**raw[part].get(column, {}), **change}
        raw[part] = {column: value for column, value in raw[part].items() if value}
    order = changes.get("order", list(raw["columns"]))
    raw["columns"] = {column: raw["columns"][column] for column in order}
    plain = {key: value for key, value in changes.items() if key not in {"columns", "derive", "order"}}
    return Contract.model_validate({**raw, **plain})


def test_the_page_and_the_cases_are_the_same() -> None:
    """No change is documented without a test, nor tested without being documented; there are fifteen and more."""
    assert [change for change, _, _ in ROWS] == list(CASES)
    assert len(CASES) >= 15


@pytest.mark.parametrize(("change", "outcome", "happens"), ROWS, ids=[change for change, _, _ in ROWS])
def test_a_change_is_as_the_page_says(warehouse: Warehouse, change: str, outcome: str, happens: str) -> None:
    """What is allowed makes the table its contract's; what is refused leaves it as it was and says what to do."""
    before, after = CASES[change]
    name = f"t{list(CASES).index(change)}"
    ensure_table(warehouse, contract(name, before))
    standing = _seen(warehouse, name)
    wanted = contract(name, after)
    if outcome == "refused":
        with pytest.raises(PublishRefused) as refused:
            ensure_table(warehouse, wanted)
        assert refused.value.exit_code == 2
        assert _seen(warehouse, name) == standing
        statement = {"a type widens": "SET DATA TYPE NUMERIC", "a column is": "DROP COLUMN cost"}
        for kind, words in statement.items():
            assert not change.startswith(kind) or words in str(refused.value), happens
        assert "ALTER TABLE evolving." in str(refused.value)
        return
    ensure_table(warehouse, wanted)
    table = _table(warehouse, name)
    assert {field.name for field in table.schema} == set(wanted.published)
    assert {field.name: field.description or "" for field in table.schema}["visit"] == wanted.columns["visit"].about
    assert table.description == wanted.about
    assert tuple(table.clustering_fields or ()) == wanted.cluster_by
    assert bool(table.require_partition_filter) == wanted.require_partition_filter
    assert table.labels["load_mode"] == wanted.load.mode
    if wanted.retention_days:
        assert table.time_partitioning.expiration_ms == wanted.retention_days * 86_400_000


def test_what_is_no_table_gets_no_rows(warehouse: Warehouse) -> None:
    """A view in the table's place is named as what it is, before a row is loaded; so is a column that must have values.

    The view's own table keeps what it holds.
    """
    real = ensure_table(warehouse, contract("real", {}))
    view = bigquery.Table(warehouse.table_id("evolving.seen"))
    view.view_query = f"SELECT * FROM `{warehouse.table_id('evolving.real')}`"
    warehouse.client.create_table(view)
    fields = [bigquery.SchemaField(one.name, one.field_type, "REQUIRED") for one in real.schema]
    warehouse.client.create_table(bigquery.Table(warehouse.table_id("evolving.strict"), schema=fields))
    for name, said in {"seen": "it is a view and no table", "strict": "column visit is REQUIRED"}.items():
        with pytest.raises(PublishRefused, match=said) as refused:
            ensure_table(warehouse, contract(name, {}))
        assert refused.value.exit_code == 2


def test_no_row_ends_by_a_default(warehouse: Warehouse) -> None:
    """Table and partitions end as the contract says, whatever their dataset, or a person, has let them do."""
    dataset = bigquery.Dataset(f"{warehouse.settings.project}.evolving")
    dataset.default_table_expiration_ms = 3_600_000
    warehouse.client.update_dataset(dataset, ["default_table_expiration_ms"])
    try:
        made = ensure_table(warehouse, contract("ending", {}))
    finally:
        dataset.default_table_expiration_ms = None
        warehouse.client.update_dataset(dataset, ["default_table_expiration_ms"])
    assert made.expires is None
    made.expires = datetime.now(UTC) + timedelta(hours=1)
    warehouse.client.update_table(made, ["expires"])
    ensure_table(warehouse, contract("ending", {"retention_days": None}))
    found = _table(warehouse, "ending")
    assert (found.expires, found.time_partitioning.expiration_ms) == (None, None)


def test_what_people_added_stays(warehouse: Warehouse) -> None:
    """Policy tags, and descriptions where the contract has none, survive a change of the table."""
    found = ensure_table(warehouse, contract("tagged", {}))
    tag = bigquery.PolicyTagList(names=["projects/p/locations/l/taxonomies/1/policyTags/2"])
    found.schema = [
        bigquery.SchemaField(field.name, field.field_type, policy_tags=tag, description="A person's own words.")
        for field in found.schema
    ]
    warehouse.client.update_table(found, ["schema"])
    ensure_table(warehouse, contract("tagged", {"columns": {"note": NOTE}}))
    fields = {field.name: field for field in _table(warehouse, "tagged").schema}
    assert fields["cost"].policy_tags == tag
    assert fields["cost"].description == "A person's own words."
    assert fields["visit"].description == "What was seen."
    assert "note" in fields


def _table(warehouse: Warehouse, name: str) -> bigquery.Table:
    found = warehouse.find_table(f"evolving.{name}")
    assert found is not None
    return found


def _seen(warehouse: Warehouse, name: str) -> dict[str, Any]:
    found = _table(warehouse, name).to_api_repr()
    return {key: found.get(key) for key in ("schema", "timePartitioning", "clustering", "description", "labels")}
