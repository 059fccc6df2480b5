"""Three books compared: what BigQuery holds, what the ledger says was loaded, and what the source has; counts and sums.

Aggregates only, and the source is asked on a proven reader. Sums are compared, and not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

from etl.cloud.bigquery import quoted
from etl.ledger import PUBLISHED, Ledger
from etl.plan import TablePlan, mask_plan
from etl.publish import published_totals
from etl.reports.facts.runs import left_out
from etl.reports.merged import MovedOn, moved_on, unexplained
from etl.settings import Settings
from etl.source import hold_snapshot
from etl.stage import SourceTotals, ask_source_totals
from schemas.business_days import Window
from schemas.contract import Contract
from schemas.loads import DELETED_AT, MergeLoad, PartitionLoad, SnapshotLoad

Agreement = Literal["equal", "differs", "moved on", "not loaded", "not compared", "nothing to compare"]

_ROWS: Final = "rows"


@dataclass(frozen=True)
class Comparison:
    """One measure of one table; counts are shown, sums are not.

    Attributes:
        measure: `rows`, or the column whose sum is compared.
        against: `ledger` or `source`.
        verdict: `moved on` where the source went on changing since a load that was of its whole state.
    """

    table: str
    measure: str
    against: Literal["ledger", "source"]
    verdict: Agreement
    published: int | None = None
    expected: int | None = None
    why: str = ""

    @property
    def differs(self) -> bool:
        """Whether somebody has to look at it."""
        return self.verdict in {"differs", "not loaded"}


@dataclass(frozen=True)
class _Load:
    """The last load of a table, or of one business day of it, as the ledger records it.

    Attributes:
        rows: None where the ledger counts the load's days together only, as for a backfill in one step.
    """

    rows: int | None
    sums: Mapping[str, Decimal]
    left_out: int
    erased: int
    watermark: datetime | None = None
    origin: str | None = None


def verify(ledger: Ledger, settings: Settings, day: date, contracts: Mapping[str, Contract]) -> list[Comparison]:
    """Compares every table's business day.

    A table that is replaced whole is compared as it is: with its last load, and with the source as it is now, which
    may have moved on; of a merge table, only as far as changes since can explain it. A business day's partition is
    compared with the source's rows of that day.

    Raises:
        KagemushaError: BigQuery or the source could not be asked, or the source is not a reader that may be read.
    """
    found: list[Comparison] = []
    with hold_snapshot(settings.source) as held:
        for contract in contracts.values():
            plan = TablePlan(contract, _window(contract, day), mask_plan(contract, day), (), 0)
            source = ask_source_totals(held.snapshot, plan)
            load = _last_load(ledger, contract, day)
            if load is None:
                found.append(Comparison(contract.table, _ROWS, "ledger", "not loaded"))
                continue
            published = _published(ledger, contract, day)
            found += _with_ledger(contract, published, load)
            moved = moved_on(held, plan, load.watermark, load.origin)
            found += _with_source(contract, published, source, load, moved)
    return found


def _window(contract: Contract, day: date) -> Window | None:
    return Window(day, day) if isinstance(contract.load, PartitionLoad) else None


def _published(ledger: Ledger, contract: Contract, day: date) -> SourceTotals:
    """Returns what BigQuery holds of the business day, or of the whole table; rows marked as deleted do not count."""
    conditions = ["TRUE"]
    by = contract.partition_by
    if isinstance(contract.load, PartitionLoad | SnapshotLoad) and by:
        conditions = [f"{quoted(by)} = DATE '{day.isoformat()}'"]
    elif by:
        conditions = [f"{quoted(by)} >= DATE '0001-01-01'"]
    if DELETED_AT in contract.added:
        conditions.append(f"{DELETED_AT} IS NULL")
    return published_totals(ledger.warehouse, contract, " AND ".join(conditions))


def _last_load(ledger: Ledger, contract: Contract, day: date) -> _Load | None:
    """Returns the last load that made what BigQuery holds, with what was erased since; None where there was none."""
    sql = (
        "SELECT `at`, `rows`, sums, partition_rows, quarantined, window_first, window_last, watermark, source_origin "
        f"FROM `{ledger.table_id('table_loads')}` WHERE table_name = @table AND outcome IN UNNEST(@outcomes) "
        f"AND {_covers(contract)} ORDER BY `at` DESC LIMIT 1"
    )
    rows = ledger.read(sql, table=contract.table, outcomes=tuple(PUBLISHED), day=day)
    if not rows:
        return None
    (row,) = rows
    one_day = row["window_first"] == row["window_last"]
    counted = int(row["rows"])
    if isinstance(contract.load, PartitionLoad) and not one_day:
        counted = json.loads(row["partition_rows"] or "{}").get(day.isoformat())
    sums = json.loads(row["sums"] or "{}") if one_day else {}
    return _Load(
        rows=None if counted is None else int(counted),
        sums={column: Decimal(total) for column, total in sums.items()},
        left_out=left_out(row["quarantined"]),
        erased=_erased(ledger, contract, row["at"]),
        watermark=row["watermark"],
        origin=row["source_origin"],
    )


def _covers(contract: Contract) -> str:
    if isinstance(contract.load, PartitionLoad):
        return "@day BETWEEN window_first AND window_last"
    return "day = @day" if isinstance(contract.load, SnapshotLoad) else "@day IS NOT NULL"


def _erased(ledger: Ledger, contract: Contract, since: datetime) -> int:
    sql = (
        f"SELECT COALESCE(SUM(rows_changed), 0) AS n FROM `{ledger.table_id('erasures')}` "
        "WHERE table_name = @table AND event IN ('ended', 'incomplete') AND rule = 'delete' AND `at` > @since"
    )
    (row,) = ledger.read(sql, table=contract.table, since=since)
    return int(row["n"])


def _with_ledger(contract: Contract, published: SourceTotals, load: _Load) -> Iterator[Comparison]:
    table = contract.table
    why = "a merge stages changes only" if isinstance(contract.load, MergeLoad) else ""
    if load.rows is None:
        why = "its load counts several days together"
    if why or load.rows is None:
        yield Comparison(table, _ROWS, "ledger", "not compared", published=published.rows, why=why)
        return
    fewer = load.rows - published.rows
    same = 0 <= fewer <= load.erased
    why = f"{fewer} of {load.erased} erased rows" if same and fewer else ""
    verdict: Agreement = "equal" if same else "differs"
    yield Comparison(table, _ROWS, "ledger", verdict, published=published.rows, expected=load.rows, why=why)
    if not load.erased:
        for column in contract.reconcile:
            if column in load.sums:
                of_nothing = not (load.rows or published.rows)
                same = published.sums[column] == load.sums[column]
                yield Comparison(table, column, "ledger", _of_sums("differs", same=same, of_nothing=of_nothing))


def _with_source(
    contract: Contract, published: SourceTotals, source: SourceTotals, load: _Load, moved: MovedOn | None
) -> Iterator[Comparison]:
    table = contract.table
    missing, allowed = source.rows - published.rows, load.left_out + load.erased
    wrong = unexplained(contract, published, source, moved, allowed) if moved else ""
    other: Agreement = "differs" if wrong or isinstance(contract.load, PartitionLoad) else "moved on"
    same = 0 <= missing <= allowed and not (moved and moved.another)
    why = f"{missing} of {allowed} rows in quarantine or erased" if same and missing else wrong
    verdict = "equal" if same else other
    yield Comparison(table, _ROWS, "source", verdict, published=published.rows, expected=source.rows, why=why)
    if not allowed:
        for column in contract.reconcile:
            same, of_nothing = published.sums[column] == source.sums[column], not (source.rows or published.rows)
            yield Comparison(table, column, "source", _of_sums(other, same=same, of_nothing=of_nothing))


def _of_sums(other: Agreement, *, same: bool, of_nothing: bool) -> Agreement:
    """Returns the verdict on two sums; that those of no row agree proves nothing."""
    if of_nothing:
        return "nothing to compare"
    return "equal" if same else other


def any_difference(found: Sequence[Comparison]) -> bool:
    """Tells whether somebody has to look."""
    return any(one.differs for one in found)
