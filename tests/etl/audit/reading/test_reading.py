"""The workers' one reading: shares and parts agree on what is unique, pages are proven, and no value comes back."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

import pyarrow as pa
import pytest
import yaml
from pyspark.sql import SparkSession

from etl.audit import Auditor
from etl.audit.orphans import TokenSources
from etl.audit.reading import read_staged, rules_of
from etl.audit.reading.files import Share
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.stage import SourceTotals, StageChanged, Staged
from expectations.checks import Check
from expectations.measures import Count, Unique
from expectations.questions import question
from schemas.contract import Contract
from tests.etl.staging import plan_of, stage_rows

pytestmark = pytest.mark.stack
CONTRACT: Final = """
table: tickets
about: One row for each ticket.
source: test.tickets
publish: auditing.tickets
load: {mode: full}
key: [ticket]
columns:
  ticket: {type: string, class: none, mask: {strategy: keep, why: a made-up code}}
  note: {type: string, class: none, mask: {strategy: keep, why: made-up words}}
"""
MANY: Final = 120_000
"""Rows of more than one share: more than what one task does by itself."""


PEAKS: Final = """
import pickle, sys
from pathlib import Path
from etl.audit.reading.files import look_at
location, rules, shares = pickle.load(sys.stdin.buffer)
for share in shares:
    look_at(location, share, rules, 1)
    (peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(int(peak.split()[1]) // 1024)
"""
"""A worker's peak memory (MiB) after each of some shares, in a process of its own, whose parent's does not count."""
HASHES_AND_BATCH_MIB, MOST_MIB = 48, 400


def staged(location: StagingLocation, *files: list[tuple[str, str | None]]) -> Staged:
    """Stages tickets in several files."""
    contract = Contract.model_validate(yaml.safe_load(CONTRACT))
    days = [None, *(date(2023, 8, day) for day in range(1, 30))][: len(files)]
    return stage_rows(plan_of(contract, date(2023, 8, 30)), location, dict(zip(days, files, strict=True)))


def tickets(first: int, count: int) -> list[tuple[str, str | None]]:
    """Returns tickets of consecutive codes."""
    return [(f"T{number:07d}", "a note") for number in range(first, first + count)]


@pytest.mark.parametrize("doubled", [0, 1])
def test_what_is_unique_is_compared_over_all_shares(
    spark: SparkSession, location: StagingLocation, doubled: int
) -> None:
    """In a table of several shares a code that comes twice, far apart, is found and counted; else all are unique."""
    stage = staged(location, tickets(0, MANY // 2), tickets(MANY // 2, MANY // 2), tickets(0, doubled))
    rule = Unique(("ticket",))
    found = read_staged(spark, TokenSources(location), stage.files, rules_of(stage, measures=[rule, Count()]))
    assert found.seen.repeats == (frozenset({0}) if doubled else frozenset())
    assert found.seen.tallies == (MANY + doubled,)
    verdict = Auditor(spark, location).examine(stage, SourceTotals(MANY + doubled, {}))
    failed = {one.check.name: (one.failed, one.checked) for one in verdict.results if not one.passed}
    assert failed == ({"expect_column_values_to_be_unique(ticket)": (2, MANY + 1)} if doubled else {})


def test_no_value_comes_back_from_workers(spark: SparkSession, location: StagingLocation) -> None:
    """What a worker hands on has counts alone, whatever was asked of texts and whatever was wrong with them."""
    planted = ["4111111111111111", "山田太郎", "taro.yamada@example.jp"]
    stage = staged(location, [(value, value) for value in planted] * 2)
    checks = [
        Check("expect_column_values_to_be_unique", {"column": "ticket"}),
        Check("expect_column_values_to_be_in_set", {"column": "note", "value_set": ["x"]}),
        Check("expect_column_values_to_match_regex", {"column": "note", "regex": "^x$"}),
        Check("expect_column_value_lengths_to_equal", {"column": "note", "value": 1}),
    ]
    asked = [one for one in (question(check, stage.plan.output_schema) for check in checks) if one is not None]
    assert len(asked) == len(checks)
    rules = rules_of(stage, measures=[measure for one in asked for measure in one.measures])
    seen = read_staged(spark, TokenSources(location), stage.files, rules).seen
    assert seen.leaks.leaks["note"] > 0
    told = pickle.dumps(seen) + repr(seen).encode()
    assert [value for value in planted if value.encode() in told] == []
    assert sorted(map(str, seen.answers(rules).values())) == ["0", "0", "6", "6", "6", "6", "Undecided.UNDECIDED"]


@pytest.mark.parametrize(
    ("changed", "how"),
    [
        (lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:], "is no whole Parquet file"),
        (lambda content: content[: len(content) // 2], "is no whole Parquet file"),
        (lambda _: b"", "is no whole Parquet file"),
        (None, "is gone"),
    ],
    ids=["one byte of a page", "cut", "empty", "removed"],
)
def test_a_file_that_changed_is_told_as_such(
    spark: SparkSession,
    location: StagingLocation,
    monkeypatch: pytest.MonkeyPatch,
    changed: Callable[[bytes], bytes] | None,
    how: str,
) -> None:
    """A page is held to its checksum; what was changed, cut or removed is somebody else's doing, and ends with 3."""
    monkeypatch.setattr("etl.retries._FIRST_PAUSE_SECONDS", 0.0)
    stage = staged(location, tickets(0, 1_000))
    file = replace(stage.files[0], name=f"{stage.files[0].name}.changed.parquet")
    if changed is not None:
        content = changed(StagingBucket(location).read(stage.files[0].name))
        StagingBucket(location).write(file.name, content, "application/octet-stream")
    with pytest.raises(StageChanged, match=f"A staged file {how}") as refused:
        read_staged(spark, TokenSources(location), [file], rules_of(stage))
    assert refused.value.exit_code == 3


def test_memory_of_a_worker_does_not_grow_with_the_rows(
    location: StagingLocation, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker that looks at twenty times the rows holds their hashes more, and no rows; the peaks are printed."""
    few, many = staged(location, tickets(0, 20_000)), staged(location, tickets(0, 400_000))
    shares = [Share(tuple((file.name, file.rows) for file in stage.files)) for stage in (few, many)]
    rules = rules_of(many, measures=[Count(), Unique(("ticket",))])
    told = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", PEAKS], input=pickle.dumps((location, rules, shares)), capture_output=True, check=True
    )
    peaks = [int(line) for line in told.stdout.split()]
    with capsys.disabled():
        sys.stdout.write(f"\npeak memory of a worker: {peaks[0]} MiB for 20,000 rows, {peaks[1]} MiB for 400,000\n")
    assert peaks[1] - peaks[0] < HASHES_AND_BATCH_MIB
    assert peaks[1] < MOST_MIB


def test_nothing_staged_is_nothing_seen(spark: SparkSession, location: StagingLocation) -> None:
    """A table without files, and one with an empty file, are looked at without a row; what is counted is zero."""
    for stage in (staged(location), staged(location, [])):
        rules = rules_of(stage, measures=[Count(), Unique(("ticket",))])
        seen = read_staged(spark, TokenSources(location), stage.files, rules).seen
        assert seen.answers(rules) == {Count(): 0, Unique(("ticket",)): 0}


def test_a_column_of_another_schema_is_not_looked_into(spark: SparkSession, location: StagingLocation) -> None:
    """Of a file whose schema is not the planned one only the footer is believed."""
    stage = staged(location, tickets(0, 10))
    rules = replace(rules_of(stage, measures=[Count()]), schema=pa.schema([("ticket", pa.int64())]))
    seen = read_staged(spark, TokenSources(location), stage.files, rules).seen
    assert (seen.footers.wrong_schema, seen.answers(rules)) == (1, {Count(): 0})
