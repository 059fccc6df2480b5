"""The audit on staged files: what is wrong is found, counted and never quoted; all runs, then one verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pyspark.sql import SparkSession

from etl.audit import Auditor, Verdict, approve, gather_references, orphans, write_page
from etl.audit.verdict import AuditFailed
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.ledger import check_rows
from etl.stage import SourceTotals, Staged, write_manifest
from expectations.volume import LoadSize
from masking.examples import example_keyring
from schemas.business_days import Window
from schemas.contract import Contract
from tests.etl.conftest import Issuer
from tests.etl.staging import plan_of, stage_rows

pytestmark = pytest.mark.stack
DAY = date(2023, 8, 30)
NOON = datetime(2023, 8, 30, 3, tzinfo=UTC)
VISITS = """
table: visits
about: One row for each visit.
source: test.visits
publish: auditing.visits
load: {mode: partition, by: visited_on}
key: [visit]
reconcile: [cost]
joins: {guest: guests.guest}
columns:
  visit: {type: int64, class: none, mask: {strategy: keep, why: a made-up number}}
  guest: {type: int64, class: identifier, mask: {strategy: tokenize, domain: guest}}
  kind: {type: string, class: none, mask: {strategy: keep, why: made-up codes}, values: [day, night]}
  cost: {type: "numeric(10,2)", class: none, mask: {strategy: keep, why: a made-up sum}}
  visited_at: {type: timestamp, class: none, mask: {strategy: keep, why: a made-up time}, nullable: false}
derive:
  visited_on: {type: date, from: visited_at, as: business_date}
"""
GUESTS = """
table: guests
about: One row for each guest.
source: test.guests
publish: auditing.guests
load: {mode: full}
key: [guest]
columns:
  guest: {type: int64, class: identifier, mask: {strategy: tokenize, domain: guest}}
"""
SUITE = """
table: visits
volume: {severity: blocking, loads: 2}
expectations:
  - expect: expect_column_values_to_be_between
    severity: warning
    kwargs: {column: cost, min_value: 0, row_condition: "kind = 'day'", mostly: 0.5}
"""
Row = tuple[int | None, str | None, str | None, str, datetime]


def token(number: int) -> str:
    """Returns something of a token's shape."""
    return f"k1_{number:032x}"


def row(visit: int | None, guest: int = 1, **changes: Any) -> Row:
    """Returns a visit that is right, but for the changes."""
    made = {"guest": token(guest), "kind": "day", "cost": "1.10", "at": NOON, **changes}
    return visit, made["guest"], made["kind"], made["cost"], made["at"]


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of the suites."""
    folder = tmp_path_factory.mktemp("suites")
    (folder / "visits.yaml").write_text(SUITE, encoding="utf-8")
    return folder


def contract(text: str) -> Contract:
    """Returns a contract."""
    return Contract.model_validate(yaml.safe_load(text))


def visits(location: StagingLocation, run_id: str, rows: list[Row]) -> Staged:
    """Stages visits."""
    plan = plan_of(contract(VISITS), DAY, Window(DAY, DAY))
    staged = [(visit, guest, kind, Decimal(cost), at, DAY) for visit, guest, kind, cost, at in rows]
    return stage_rows(plan, location, {DAY: staged}, run_id)


Examine = Callable[..., Verdict]


@pytest.fixture(scope="module")
def judge(location: StagingLocation, suites: Path, issuer: Issuer, spark: SparkSession) -> Examine:
    """Returns the audit of visits beside guests 1 to 3, which the same run staged."""
    guests = stage_rows(plan_of(contract(GUESTS), DAY), location, {None: [(token(number),) for number in (1, 2, 3)]})
    contracts = {"guests": contract(GUESTS), "visits": contract(VISITS)}

    def judged(stage: Staged, *earlier: LoadSize, rows: int | None = None, cost: str | None = None) -> Verdict:
        totals = SourceTotals(
            stage.rows if rows is None else rows, {"cost": stage.sums["cost"] if cost is None else Decimal(cost)}
        )
        around = gather_references(stage, DAY, contracts, {"guests": guests}, {"visits": earlier}, issuer.warehouse)
        return Auditor(spark, location, suites).examine(stage, totals, around)

    return judged


def failed(verdict: Verdict) -> dict[str, tuple[int | None, int | None]]:
    """Returns what did not hold, with its counts."""
    return {one.check.name: (one.failed, one.checked) for one in verdict.results if not one.passed}


def test_what_is_right_is_approved(judge: Examine, location: StagingLocation) -> None:
    """Right rows pass every kind of check, and the proof names what was staged."""
    stage = visits(location, "right", [row(1), row(2, guest=2), row(3, guest=3, kind="night")])
    verdict = judge(stage, LoadSize(3, stage.nulls), LoadSize(4, stage.nulls))
    assert failed(verdict) == {}
    assert {one.check.origin for one in verdict.results} == {"contract", "suite", "reconciliation", "join", "history"}
    assert approve(stage, verdict).staged is stage


def test_everything_wrong_is_counted_in_one_verdict(judge: Examine, location: StagingLocation) -> None:
    """Doubled and missing keys, wrong codes, raw values, orphans, old, lost rows and money: each is counted."""
    old = datetime(2023, 8, 28, tzinfo=UTC)
    rows = [row(1, at=old), row(1, at=old), row(None, guest=4, at=old), row(5, kind="dawn", at=old)]
    rows += [(6, "raw-4111", "day", "1.00", old), row(7, guest=9, cost="-1.00", at=old), (8, None, "day", "-2.00", old)]
    stage = visits(location, "wrong", rows)
    verdict = judge(stage, LoadSize(70, stage.nulls), LoadSize(80, stage.nulls), rows=8, cost="4.21")
    assert failed(verdict) == {
        "sum_equals_source(cost)": (None, None),
        "expect_table_row_count_to_equal": (None, None),
        "expect_column_values_to_be_unique(visit)": (2, 7),
        "expect_column_values_to_not_be_null(visit)": (1, 7),
        "expect_column_values_to_match_regex(guest)": (1, 7),
        "expect_column_values_to_be_in_set(kind)": (1, 7),
        "tokens_found_in_joined_table(guest)": (3, 6),
        "newest_row_is_fresh(visited_at)": (None, None),
        "load_rows_within_band": (30, 7),
        "load_nulls_within_band(visit)": (1, 7),
        "load_nulls_within_band(guest)": (1, 7),
    }
    assert {one.check.name for one in verdict.warnings} == {
        "tokens_found_in_joined_table(guest)",
        "newest_row_is_fresh(visited_at)",
    }
    with pytest.raises(AuditFailed, match=r"of \d+ checks failed: sum_equals_source\(cost\); ") as stopped:
        approve(stage, verdict)
    assert stopped.value.exit_code == 1


@pytest.mark.parametrize("tokens_a_task", [4_000_000, 1])
def test_orphans_are_looked_for_in_what_is_published_too(
    location: StagingLocation,
    issuer: Issuer,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    tokens_a_task: int,
) -> None:
    """A joined table that this run did not stage is read from BigQuery; one that is nowhere is not looked in.

    Counts are the same where the tokens are divided among several tasks.
    """
    monkeypatch.setattr(orphans, "_TOKENS_A_TASK", tokens_a_task)
    stage = visits(location, "published", [row(1), row(2, guest=7)])
    contracts = {"guests": contract(GUESTS), "visits": contract(VISITS)}
    assert gather_references(stage, DAY, contracts, {}, {}, issuer.warehouse).joins == ()
    issuer.warehouse.ensure_dataset("auditing")
    issuer.published("CREATE OR REPLACE TABLE auditing.guests (guest STRING)")
    issuer.published(f"INSERT INTO auditing.guests VALUES ('{token(1)}'), ('{token(5)}')")
    around = gather_references(stage, DAY, contracts, {}, {}, issuer.warehouse)
    totals = SourceTotals(2, dict(stage.sums))
    found = failed(Auditor(spark, location, Path("none")).examine(stage, totals, around))
    assert found == {"tokens_found_in_joined_table(guest)": (1, 2)}
    issuer.published("DROP TABLE auditing.guests")


@pytest.mark.parametrize("change", ["another type", "another order", "a row less"])
def test_a_file_of_another_shape_is_refused(judge: Examine, location: StagingLocation, change: str) -> None:
    """Columns, their order and types, and the rows of every file are the planned ones; the file itself is asked."""
    stage = visits(location, f"shape-{change.replace(' ', '-')}", [row(1), row(2)])
    path = stage.files[0].name
    table = pq.read_table(pa.BufferReader(StagingBucket(location).read(path)))
    if change == "another type":
        table = table.set_column(0, "visit", table.column("visit").cast(pa.int32()))
    table = table.select(table.schema.names[::-1]) if change == "another order" else table
    table = table.slice(1) if change == "a row less" else table
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    StagingBucket(location).write(path, sink.getvalue().to_pybytes(), "application/octet-stream")
    assert "staged_files_equal_manifest" in failed(judge(stage))
    (now,) = StagingBucket(location).stored(path)
    forged = replace(stage.files[0], bytes=now.bytes, crc32c=now.crc32c, generation=now.generation)
    found = failed(judge(replace(stage, files=(forged,))))
    if change == "a row less":
        assert found == {"staged_rows_equal_manifest": (1, 1)}
    else:
        not_run = {"tokens_found_in_joined_table(guest)": (None, None)}
        assert found == {"staged_schema_equals_contract": (1, 1), **not_run}


def test_no_failing_value_gets_out(
    judge: Examine, location: StagingLocation, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Values that fail — and are quoted by whatever quotes values — are in no result, page, manifest, log or error."""
    planted = ["4111111111111111", "山田太郎", "taro.yamada@example.jp", "987654.21"]
    rows = [row(1), row(2), (3, planted[0], planted[1], planted[3], NOON), (3, planted[2], planted[2], "1.00", NOON)]
    stage = visits(location, "planted", rows)
    verdict = judge(stage, rows=9, cost="0.00")
    assert len(failed(verdict)) >= 6
    write_page(stage, verdict, StagingBucket(location))
    write_manifest(replace(stage, sums={}), SourceTotals(9, {}), StagingBucket(location), example_keyring())
    with pytest.raises(AuditFailed) as stopped:
        approve(stage, verdict)
    told = [repr(verdict), str(check_rows(verdict.results)), str(stopped.value), repr(stopped.value), caplog.text]
    told += capfd.readouterr()
    folder = f"{location.prefix}/planted/"
    written = [one.name for one in StagingBucket(location).stored(folder) if not one.name.endswith(".parquet")]
    assert len(written) == 2
    told += [StagingBucket(location).read(name).decode() for name in written]
    assert [value for value in planted for text in told if value in text] == []


def test_nothing_around_means_nothing_compared(location: StagingLocation, suites: Path, spark: SparkSession) -> None:
    """Without surroundings — as when tokens are renewed — joins, freshness and volume are not looked at."""
    stage = visits(location, "alone", [row(1, at=datetime(2020, 1, 1, tzinfo=UTC))])
    verdict = Auditor(spark, location, suites).examine(stage, SourceTotals(1, dict(stage.sums)))
    assert failed(verdict) == {}
    assert not {one.check.origin for one in verdict.results} & {"join", "history"}
