"""Declared numbers in staged files: a column that a contract declares to be something else is none of card numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from etl.audit.staged_frame import read_columns
from etl.cloud.storage import StagingLocation
from etl.errors import worst_of
from etl.retries import as_value
from etl.stage import Staged, StagedFile
from expectations.checks import Check, CheckResult
from masking.errors import KagemushaError
from masking.formats import LuhnShare, format_named, luhn_share
from schemas.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ROWS_TOGETHER: Final = 100_000
"""Files are judged together up to this many rows: a few rows of a day tell nothing by themselves."""

Shares = dict[str, LuhnShare]


def declared_results(spark: SparkSession, staged: Staged, location: StagingLocation) -> Sequence[CheckResult]:
    """Of every declared number no more distinct values pass Luhn than chance allows; see `masking.formats.shares`.

    Raises:
        KagemushaError: storage did not give a file.
    """
    rates = declared_rates(staged.plan.contract)
    if not rates or not staged.files:
        return []
    schema = staged.plan.output_schema
    groups = list(_together(staged.files))
    tasks = spark.sparkContext.parallelize(groups, len(groups))
    outcomes = tasks.map(lambda names: as_value(lambda: _shares(location, names, schema, tuple(rates)))).collect()
    failures = [outcome for outcome in outcomes if isinstance(outcome, KagemushaError)]
    if failures:
        raise worst_of(failures)
    found = [outcome for outcome in outcomes if not isinstance(outcome, KagemushaError)]
    return [_result(name, rate, [shares[name] for shares in found]) for name, rate in rates.items()]


def declared_rates(contract: Contract) -> Mapping[str, float]:
    """Returns the declared columns whose values pass Luhn by chance only, and how many of them do."""
    rates = {name: format_named(column.number).rate for name, column in contract.selected.items() if column.number}
    return {name: rate for name, rate in rates.items() if rate < 1}


def _together(files: Sequence[StagedFile]) -> Iterator[tuple[str, ...]]:
    """Yields the names of the files, in groups of about so many rows."""
    names: list[str] = []
    rows = 0
    for file in files:
        names.append(file.name)
        rows += file.rows
        if rows >= _ROWS_TOGETHER:
            yield tuple(names)
            names, rows = [], 0
    if names:
        yield tuple(names)


def _shares(location: StagingLocation, files: Sequence[str], schema: pa.Schema, columns: tuple[str, ...]) -> Shares:
    batches = [batch for name in files for batch in read_columns(location, name, schema, list(columns))]
    texts = {name: [batch.column(name).cast(pa.string()) for batch in batches] for name in columns}
    return {
        name: luhn_share(pa.concat_arrays(parts) if parts else pa.array([], pa.string()), distinct=True)
        for name, parts in texts.items()
    }


def _result(name: str, rate: float, shares: Sequence[LuhnShare]) -> CheckResult:
    """Returns the worst group's share; one group that holds card numbers is enough."""
    refused = [share for share in shares if share.too_high(rate)]
    worst = max(refused or shares, key=lambda share: share.valid)
    check = Check("declared_numbers_are_no_cards", {"column": name}, origin="reconciliation")
    return CheckResult(check, passed=not refused, failed=worst.valid if refused else 0, checked=worst.numbers)
