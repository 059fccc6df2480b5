"""Merging on a real BigQuery server: changes arrive by key, deletes are found, and doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from google.cloud import bigquery

from etl.audit import Approved
from etl.cloud.bigquery import Warehouse, copy
from etl.cloud.storage import StagingLocation
from etl.errors import PublishRefused
from etl.plan.keys_contract import keys_contract
from etl.publish import Publisher
from etl.publish.merge import DeletesUnproven
from etl.publish.merge_sql import Merge
from etl.source import Changes
from schemas.contract import Contract
from scripts.local_stack.local_stack import Endpoints
from tests.etl.conftest import FREE
from tests.etl.staging import approved, plan_of, stage_rows

pytestmark = pytest.mark.stack
MONDAY, TUESDAY, WEDNESDAY = date(2023, 8, 28), date(2023, 8, 29), date(2023, 8, 30)
NOW = datetime(2023, 8, 31, tzinfo=UTC)
CONTRACT = """
table: orders
about: One row for each order.
source: test.orders
publish: merging.{name}
load: {{mode: merge, watermark: updated_at, overlap_minutes: 60, deletes: soft, reconcile_keys: 7, by: ordered_on}}
key: [shop, number]
require_partition_filter: true
columns:
  shop:       {{type: string, class: none, mask: {{strategy: keep, why: a made-up shop}}, nullable: false}}
  number:     {{type: int64, class: none, mask: {{strategy: keep, why: a made-up number}}, nullable: false}}
  status:     {{type: string, class: none, mask: {{strategy: keep, why: a made-up word}}}}
  ordered_on: {{type: date, class: none, mask: {{strategy: keep, why: a made-up day}}, nullable: false}}
  updated_at: {{type: timestamp, class: none, mask: {{strategy: keep, why: a made-up time}}, nullable: false}}
"""
Row = tuple[str, int, str, date]
FIRST: Sequence[Row] = [("a", 1, "new", MONDAY), ("a", 2, "new", MONDAY), ("b", 1, "new", TUESDAY)]
ALL_KEYS: Sequence[tuple[str, int]] = [("a", 1), ("b", 1), ("c", 9)]
CHANGED: Sequence[Row] = [("a", 1, "paid", WEDNESDAY), ("c", 9, "new", WEDNESDAY)]


def contract(name: str, **load: object) -> Contract:
    """Returns the contract with a changed load mode."""
    raw = yaml.safe_load(CONTRACT.format(name=name))
    changed = {**raw, "load": {**raw["load"], **load}}
    return Contract.model_validate({**changed, "require_partition_filter": bool(changed["load"]["by"])})


def rows_of(found: Contract, location: StagingLocation, rows: Sequence[Row], *, whole: bool = False) -> Approved:
    """Stages rows, as all of the table or as its changes."""
    watermark = None if whole else NOW - timedelta(days=1)
    changes = Changes("updated_at", watermark, timedelta(hours=1), NOW, closed=False)
    added = (NOW - timedelta(hours=1), *[None] * len(found.added))
    plan = plan_of(found, WEDNESDAY, changes=changes)
    return approved(stage_rows(plan, location, {None: [(*row, *added) for row in rows]}))


def keys_of(found: Contract, location: StagingLocation, keys: Sequence[tuple[str, int]]) -> Approved:
    """Stages keys of the source."""
    return approved(stage_rows(plan_of(keys_contract(found), WEDNESDAY), location, {None: keys}))


def table(warehouse: Warehouse, name: str) -> list[tuple[object, ...]]:
    """Returns what is published: the order, its status and day, and when it was found gone."""
    gone = ", deleted_at" if "deleted_at" in {f.name for f in _table(warehouse, name).schema} else ""
    sql = f"SELECT shop, number, status, ordered_on{gone} FROM merging.{name} WHERE ordered_on > '2000-01-01'"
    return sorted((tuple(row) for row in warehouse.client.query_and_wait(sql)), key=repr)


def _table(warehouse: Warehouse, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  BigQuery's own table
    found = warehouse.find_table(f"merging.{name}")
    assert found is not None
    return found


def test_changes_are_merged_by_key(warehouse: Warehouse, location: StagingLocation) -> None:
    """Changed rows are replaced, also on a day of their own now; new ones come in; one that is gone says since when."""
    found = contract("soft")
    whole = Publisher(warehouse, location).publish(rows_of(found, location, FIRST, whole=True), FREE)
    assert (whole.rows, whole.keys_compared) == (3, 3)
    changes, keys = rows_of(found, location, CHANGED), keys_of(found, location, ALL_KEYS)
    merged = Publisher(warehouse, location).publish(changes, FREE, keys)
    after = [
        ("a", 1, "paid", WEDNESDAY, None),
        ("a", 2, "new", MONDAY, NOW),
        ("b", 1, "new", TUESDAY, None),
        ("c", 9, "new", WEDNESDAY, None),
    ]
    assert table(warehouse, "soft") == after
    assert (merged.rows, merged.partitions, merged.keys_compared, merged.deleted) == (2, 2, 3, 1)
    again = Publisher(warehouse, location).publish(changes, FREE, keys)
    assert again.job_ids == merged.job_ids
    assert table(warehouse, "soft") == after
    digest = merged.job_ids[0].rsplit("_", 1)[1]
    assert not [one.table_id for one in warehouse.client.list_tables("ops") if one.table_id.endswith(digest)]
    back = rows_of(found, location, [("a", 2, "back", MONDAY)])
    Publisher(warehouse, location).publish(back, FREE)
    assert table(warehouse, "soft")[1] == ("a", 2, "back", MONDAY, None)


def test_hard_deletes_and_ignored_ones(warehouse: Warehouse, location: StagingLocation) -> None:
    """A hard delete removes the row in the same statement; without keys nothing is removed."""
    hard = contract("hard", deletes="hard", by=None)
    Publisher(warehouse, location).publish(rows_of(hard, location, FIRST, whole=True), FREE)
    Publisher(warehouse, location).publish(rows_of(hard, location, [("b", 1, "paid", TUESDAY)]), FREE)
    assert [row[:3] for row in table(warehouse, "hard")] == [("a", 1, "new"), ("a", 2, "new"), ("b", 1, "paid")]
    Publisher(warehouse, location).publish(
        rows_of(hard, location, []), FREE, keys_of(hard, location, [("a", 1), ("b", 1)])
    )
    assert [row[:3] for row in table(warehouse, "hard")] == [("a", 1, "new"), ("b", 1, "paid")]
    assert Publisher(warehouse, location).publish(rows_of(hard, location, []), FREE).job_ids == ()


def test_a_change_that_was_lost_is_noticed(warehouse: Warehouse, location: StagingLocation) -> None:
    """A key of the source that is neither published nor among the changes stops the merge before it changes a row.

    The same stage can be merged once the row is there, also when the tables beside it have expired meanwhile.
    """
    found = contract("lost")
    Publisher(warehouse, location).publish(rows_of(found, location, FIRST, whole=True), FREE)
    before, changes = table(warehouse, "lost"), rows_of(found, location, CHANGED)
    keys = keys_of(found, location, [*ALL_KEYS, ("d", 4)])
    with pytest.raises(PublishRefused, match=r"1 rows of the source are not in merging\.lost") as refused:
        Publisher(warehouse, location).publish(changes, FREE, keys)
    assert "backfill --table orders" in str(refused.value)
    assert table(warehouse, "lost") == before
    beside = [one for one in warehouse.client.list_tables("ops") if one.table_id.startswith("stage_orders")]
    for one in beside:  # as they do a day later
        warehouse.client.delete_table(one)
    Publisher(warehouse, location).publish(rows_of(found, location, [("d", 4, "late", MONDAY)]), FREE)
    assert Publisher(warehouse, location).publish(changes, FREE, keys).deleted == 1
    gone = [row[:2] for row in table(warehouse, "lost") if row[4]]
    assert (len(beside), gone) == (2, [("a", 2)])


def test_the_statement_names_the_days_it_touches(location: StagingLocation) -> None:
    """Days stand as literals in the condition, which is what lets BigQuery leave other partitions alone."""
    plan = rows_of(contract("named"), location, CHANGED).staged.plan
    statement = Merge(plan, "t", "c", None).merge([MONDAY, WEDNESDAY])
    assert "t.`ordered_on` IN (DATE '2023-08-28', DATE '2023-08-30')" in statement
    assert "kagemusha_gone THEN" not in statement


def test_a_failed_job_that_is_found_again_is_no_success(
    stack: Endpoints, warehouse: Warehouse, location: StagingLocation
) -> None:
    """The id of a job that failed is taken for ever: the same copy is made under the next one, and only then counts."""
    found = contract("failed")
    proof = rows_of(found, location, FIRST, whole=True)
    (file,) = proof.staged.files
    stored = stack.root / "storage" / ".cloudstorage" / location.bucket / file.name
    away = stored.rename(stored.with_suffix(".away"))  # storage still lists it, BigQuery cannot read it
    for _ in range(2):
        with pytest.raises(PublishRefused):
            Publisher(warehouse, location).publish(proof, FREE)
    away.rename(stored)
    published = Publisher(warehouse, location).publish(proof, FREE)
    assert published.rows == 3
    source, again = warehouse.table_id("merging.late"), warehouse.table_id("merging.again")
    for _ in range(2):
        with pytest.raises(PublishRefused):
            copy(warehouse, source, again, f"copy_{location.prefix.split('/')[-1]}", bigquery.CopyJobConfig())
    warehouse.client.query_and_wait("CREATE TABLE merging.late AS SELECT 1 AS n")
    job = copy(warehouse, source, again, f"copy_{location.prefix.split('/')[-1]}", bigquery.CopyJobConfig())
    assert job.job_id.endswith("_3")


@pytest.mark.parametrize("deletes", ["hard", "soft"])
def test_most_of_a_table_is_not_deleted_without_a_word(
    warehouse: Warehouse, location: StagingLocation, deletes: str
) -> None:
    """More deletes than the contract's share stop the merge with exit code 1; with so many accepted it goes on."""
    many = contract(f"many_{deletes}", deletes=deletes, by=None)
    rows: Sequence[Row] = [("a", number, "new", MONDAY) for number in range(40)]
    Publisher(warehouse, location).publish(rows_of(many, location, rows, whole=True), FREE)
    before = table(warehouse, f"many_{deletes}")
    changes = rows_of(many, location, [("a", 0, "paid", MONDAY)])
    for left, told in ((28, "12 of 40"), (0, "39 of 40")):
        with pytest.raises(DeletesUnproven, match=told) as refused:
            Publisher(warehouse, location).publish(
                changes, FREE, keys_of(many, location, [("a", n) for n in range(left)])
            )
        assert refused.value.exit_code == 1
        assert "--accept-deletes" in str(refused.value)
        assert table(warehouse, f"many_{deletes}") == before
    few = keys_of(many, location, [("a", number) for number in range(28)])
    assert Publisher(warehouse, location, accepted_deletes=12).publish(changes, FREE, few).deleted == 12


def test_a_table_that_lost_every_row_is_not_emptied(warehouse: Warehouse, location: StagingLocation) -> None:
    """However few rows a table has, the last of them goes only when somebody says so."""
    few = contract("few", deletes="hard", by=None)
    Publisher(warehouse, location).publish(rows_of(few, location, FIRST, whole=True), FREE)
    nothing, none = rows_of(few, location, []), keys_of(few, location, [])
    with pytest.raises(DeletesUnproven, match=r"3 of 3 rows of merging\.few are gone .* one run may delete 0"):
        Publisher(warehouse, location).publish(nothing, FREE, none)
    Publisher(warehouse, location, accepted_deletes=3).publish(nothing, FREE, none)
    assert table(warehouse, "few") == []
