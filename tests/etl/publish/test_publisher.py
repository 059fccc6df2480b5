"""Publishing on a real BigQuery server: whole destinations or nothing, once, and never destructive."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import yaml

from etl.audit import Approved
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.errors import NOT_PUBLISHED, PublishFailed, PublishRefused
from etl.ledger.lease_rows import LeaseHeld
from etl.publish import Publisher
from etl.publish.limits import BYTES_A_JOB
from etl.publish.publisher import job_id
from etl.publish.tables import ensure_table
from etl.stage import StageChanged
from masking.errors import KagemushaError
from schemas.business_days import Window
from schemas.contract import Contract
from schemas.errors import ContractInvalid
from scripts.fault_injection.proxy import Exchange, FaultProxy, Rule
from scripts.local_stack.local_stack import Endpoints
from tests.etl.conftest import FREE
from tests.etl.staging import Rows, approved, plan_of, stage_rows

pytestmark = pytest.mark.stack
MONDAY, TUESDAY = date(2023, 8, 28), date(2023, 8, 29)
CONTRACT = """
table: visits
about: One row for each visit.
source: test.visits
publish: publishing.{name}
load: {{mode: partition, by: visited_on, lookback_days: 1}}
key: [visit]
cluster_by: [visit]
columns:
  visit: {{type: string, class: none, mask: {{strategy: keep, why: a made-up word}}, about: What was seen.}}
  cost: {{type: "numeric(10,2)", class: none, mask: {{strategy: keep, why: a made-up sum}}}}
  visited_at: {{type: timestamp, class: none, mask: {{strategy: keep, why: a made-up time}}, nullable: false}}
derive:
  visited_on: {{type: date, from: visited_at, as: business_date}}
"""


def contract(name: str, **changes: object) -> Contract:
    """Returns the contract with changed keys."""
    return Contract.model_validate({**yaml.safe_load(CONTRACT.format(name=name)), **changes})


def visit(name: str, day: date) -> tuple[object, ...]:
    """Returns a visit at noon, as it is staged."""
    return name, Decimal("1.10"), datetime(day.year, day.month, day.day, 3, tzinfo=UTC), day


def staged(found: Contract, location: StagingLocation, visits: dict[date, list[str]]) -> Approved:
    """Stages visits by day and returns the proof that an audit would give."""
    plan = plan_of(found, TUESDAY, Window(min(visits), max(visits)))
    by_day: dict[date | None, Rows] = {day: [visit(name, day) for name in names] for day, names in visits.items()}
    return approved(stage_rows(plan, location, by_day))


def rows(warehouse: Warehouse, name: str) -> list[tuple[object, ...]]:
    """Returns what is published."""
    sql = f"SELECT visited_on, visit FROM publishing.{name} ORDER BY 1, 2"
    return [tuple(row) for row in warehouse.client.query_and_wait(sql)]


class LostAfter:
    """A lease that is lost after so many proofs."""

    def __init__(self, proofs: int) -> None:
        self._left = proofs
        self._one_at_a_time = threading.Lock()

    def prove(self, *, anew: bool = False) -> None:
        """Counts down."""
        del anew
        with self._one_at_a_time:
            self._left -= 1
            if self._left < 0:
                raise LeaseHeld("The lease was lost to another run.", not_done=NOT_PUBLISHED)


def test_each_day_is_replaced_and_no_other(warehouse: Warehouse, location: StagingLocation) -> None:
    """A partition's rows are exchanged whole, an empty day is emptied, days outside the window stay."""
    found, sunday = contract("days"), MONDAY - timedelta(days=1)
    Publisher(warehouse, location).publish(
        staged(found, location, {sunday: ["s"], MONDAY: ["a", "b"], TUESDAY: ["c"]}), FREE
    )
    again = Publisher(warehouse, location).publish(staged(found, location, {MONDAY: [], TUESDAY: ["d", "e"]}), FREE)
    assert (again.rows, again.partitions) == (2, 2)
    assert rows(warehouse, "days") == [(sunday, "s"), (TUESDAY, "d"), (TUESDAY, "e")]


def test_the_same_manifest_again_adopts_its_jobs(warehouse: Warehouse, location: StagingLocation) -> None:
    """A repeated try finds the jobs that it started before: same ids, same rows, none doubled."""
    proof = staged(contract("twice"), location, {MONDAY: ["a"], TUESDAY: ["b"]})
    first = Publisher(warehouse, location).publish(proof, FREE)
    second = Publisher(warehouse, location).publish(proof, FREE)
    assert second.job_ids == first.job_ids
    assert rows(warehouse, "twice") == [(MONDAY, "a"), (TUESDAY, "b")]


def test_somebody_else_s_job_of_that_id_proves_nothing(warehouse: Warehouse, location: StagingLocation) -> None:
    """Who may run jobs, and has read the manifest, can take the ids first: the days are replaced all the same."""
    found, client = contract("squatted"), warehouse.client
    Publisher(warehouse, location).publish(staged(found, location, {MONDAY: ["a"], TUESDAY: ["b"]}), FREE)
    proof = staged(found, location, {MONDAY: ["c"], TUESDAY: []})
    client.query_and_wait("CREATE OR REPLACE TABLE publishing.squatter AS SELECT 1 AS n")
    own, first, second = (warehouse.table_id(f"publishing.{name}") for name in ("squatter", "taken", "taken_too"))
    monday, tuesday = (job_id(proof.staged, file.partition, [file]) for file in proof.staged.files)
    client.copy_table(own, first, job_id=monday).result()
    client.query("SELECT 1", job_id=tuesday).result()
    client.copy_table(own, second, job_id=f"{tuesday}_2").result()
    done = Publisher(warehouse, location).publish(proof, FREE)
    assert sorted(done.job_ids) == [f"{monday}_2", f"{tuesday}_3"]
    assert rows(warehouse, "squatted") == [(MONDAY, "c")]


def test_a_thousand_days_arrive_in_one_job(warehouse: Warehouse, location: StagingLocation) -> None:
    """A load of a whole table makes each day's partition: 1,000 of them by one job, within what a job may touch."""
    days = [MONDAY - timedelta(days=n) for n in range(1_000)]
    found = contract("thousand")
    plan = plan_of(found, MONDAY, Window(days[-1], MONDAY))
    whole = stage_rows(plan, location, {None: [visit("v", day) for day in days]})
    done = Publisher(warehouse, location).publish(approved(whole), FREE)
    assert (done.rows, done.partitions) == (1_000, 1)
    counted = "SELECT count(*) FROM publishing.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'thousand'"
    assert [tuple(row) for row in warehouse.client.query_and_wait(counted)] == [(1_000,)]
    (file,) = whole.files
    too_large = approved(replace(whole, files=(replace(file, bytes=BYTES_A_JOB), file)))
    with pytest.raises(PublishRefused, match="more than one load job takes"):
        Publisher(warehouse, location).publish(too_large, FREE)


def test_a_partial_publish_says_so(warehouse: Warehouse, location: StagingLocation) -> None:
    """A file that cannot be loaded replaces no day; a day that cannot be replaced stays, and the others are counted."""
    found = contract("partial")
    Publisher(warehouse, location).publish(staged(found, location, {MONDAY: ["a"], TUESDAY: ["b"]}), FREE)
    proof = staged(found, location, {MONDAY: ["c"], TUESDAY: ["d"]})
    good, bad = proof.staged.files
    StagingBucket(location).write(bad.name, b"no Parquet", "application/octet-stream")
    (stored,) = StagingBucket(location).stored(bad.name)
    broken = replace(bad, bytes=stored.bytes, crc32c=stored.crc32c, generation=stored.generation)
    with pytest.raises(KagemushaError, match="The table was not published") as refused:
        Publisher(warehouse, location).publish(approved(replace(proof.staged, files=(good, broken))), FREE)
    assert refused.value.__context__ is None
    assert rows(warehouse, "partial") == [(MONDAY, "a"), (TUESDAY, "b")]
    again = staged(found, location, {MONDAY: ["c"], TUESDAY: ["d"]})
    with pytest.raises(KagemushaError, match="1 of 2 partitions were replaced") as failed:
        Publisher(warehouse, location).publish(again, LostAfter(1))
    assert failed.value.__context__ is None
    assert len(failed.value.where["jobs"].split(",")) == 1
    assert len(set(rows(warehouse, "partial")) & {(MONDAY, "a"), (TUESDAY, "b")}) == 1
    assert len(set(rows(warehouse, "partial")) & {(MONDAY, "c"), (TUESDAY, "d")}) == 1


@pytest.mark.parametrize("readable", [True, False])
def test_files_that_changed_after_the_audit_are_not_loaded(
    warehouse: Warehouse, location: StagingLocation, *, readable: bool
) -> None:
    """When one file of two was written again since, no day is replaced, also where BigQuery cannot read it."""
    found, bucket = contract(f"changed_{readable}".lower()), StagingBucket(location)
    Publisher(warehouse, location).publish(staged(found, location, {MONDAY: ["a"], TUESDAY: ["b"]}), FREE)
    proof = staged(found, location, {MONDAY: ["c"], TUESDAY: ["d"]})
    name = proof.staged.files[1].name
    bucket.write(name, bucket.read(name) if readable else b"no file of ours", "application/octet-stream")
    with pytest.raises(StageChanged, match="1 of 2 staged files are not what the audit approved"):
        Publisher(warehouse, location).publish(proof, FREE)
    assert rows(warehouse, found.publish.split(".")[1]) == [(MONDAY, "a"), (TUESDAY, "b")]


@pytest.mark.parametrize("put_back", [False, True])
def test_bytes_replaced_before_the_load_never_become_visible(
    stack: Endpoints, warehouse: Warehouse, location: StagingLocation, *, put_back: bool
) -> None:
    """Whoever replaces an object just before BigQuery reads it, and even puts it back, changes nothing published."""
    found, bucket = contract(f"swapped_{put_back}".lower()), StagingBucket(location)
    Publisher(warehouse, location).publish(staged(found, location, {MONDAY: ["a"], TUESDAY: ["b"]}), FREE)
    proof = staged(found, location, {MONDAY: ["c"], TUESDAY: ["d"]})
    (planted, _) = staged(found, location, {MONDAY: ["4111111111111111"], TUESDAY: ["d"]}).staged.files
    name = proof.staged.files[0].name

    def swaps(exchange: Exchange) -> None:
        before = bucket.read(name)
        bucket.write(name, bucket.read(planted.name), "application/octet-stream")
        answer = exchange.forward()
        if put_back:
            bucket.write(name, before, "application/octet-stream")
        exchange.relay(answer)

    with FaultProxy(stack.bigquery).running() as proxy, proxy.following(Rule("POST", "/jobs", swaps, '"load"')):
        attacked = Warehouse(warehouse.settings.model_copy(update={"endpoint": proxy.url}))
        with pytest.raises(StageChanged, match="1 of 2 staged files are not what the audit approved") as refused:
            Publisher(attacked, location).publish(proof, FREE)
    assert refused.value.exit_code == 3
    assert rows(warehouse, found.publish.split(".")[1]) == [(MONDAY, "a"), (TUESDAY, "b")]
    beside = [one.table_id for one in warehouse.client.list_tables("ops") if one.table_id.startswith("stage_visits")]
    assert beside == []


def test_bigquery_is_asked_what_it_holds(warehouse: Warehouse, location: StagingLocation) -> None:
    """Rows of another day, or other sums, than were staged are not published, though their number is right."""
    found = contract("asked", reconcile=["cost"])
    right = staged(found, location, {MONDAY: ["a"], TUESDAY: ["b"]})
    Publisher(warehouse, location).publish(right, FREE)
    wrong_sums = replace(right.staged, sums={"cost": Decimal("2.30")})
    monday, tuesday = right.staged.files
    wrong_days = replace(right.staged, files=(replace(monday, partition=TUESDAY), replace(tuesday, rows=1)))
    for wrong in (wrong_sums, wrong_days):
        with pytest.raises(PublishFailed, match="or days or sums differ"):
            Publisher(warehouse, location).publish(approved(wrong), FREE)
    assert rows(warehouse, "asked") == [(MONDAY, "a"), (TUESDAY, "b")]


@pytest.mark.parametrize("dataset", ["ops", "looker"])
def test_a_dataset_of_the_product_is_no_destination(
    warehouse: Warehouse, location: StagingLocation, dataset: str
) -> None:
    """No contract publishes over the ledger or among the views, whoever calls for it."""
    found = contract("leases", publish=f"{dataset}.leases")
    belongs = f"publishes into dataset {dataset}, which belongs to the product"
    with pytest.raises(ContractInvalid, match=belongs) as refused:
        Publisher(warehouse, location).publish(staged(found, location, {MONDAY: ["a"]}), FREE)
    assert refused.value.exit_code == 2


def test_a_table_is_made_as_the_contract_says(warehouse: Warehouse) -> None:
    """Partitioning, clustering, retention, filter, descriptions and labels are the contract's."""
    ensure_table(warehouse, contract("made", retention_days=30, require_partition_filter=True))
    table = warehouse.find_table("publishing.made")
    assert table is not None
    assert table.time_partitioning.field == "visited_on"
    assert table.time_partitioning.expiration_ms == 30 * 86_400_000
    assert table.require_partition_filter
    assert table.clustering_fields == ["visit"]
    assert table.description == "One row for each visit."
    assert {field.name: field.description for field in table.schema}["visit"] == "What was seen."
    assert table.labels["load_mode"] == "partition"
