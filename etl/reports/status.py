"""How tables stand: each one's last loaded day, its lag, last run and last failure, and what its storage costs.

Everything comes from the ledger and from BigQuery's own description of the tables; Aurora is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from google.cloud import bigquery

from etl.clock import now
from etl.ledger import LOADED, LeaseBook, Ledger, LoadOutcome, failure_kind
from etl.reports.facts.at_once import at_once
from etl.settings import Settings
from schemas.business_days import previous_business_day
from schemas.contract import Contract

FORMULA: Final = (
    "USD a month = table bytes / 2^30 x {table} + staged bytes / 2^30 x {keep} / 30 x {stage}   "
    "([costs] and [stage].keep_days; a staged load is kept {keep} days, one load a day)"
)
_GIB: Final = 2**30
_AT_ONCE: Final = 8


@dataclass(frozen=True)
class TableStatus:
    """How one table stands; what never happened is None.

    Attributes:
        through: the last business day that was loaded.
        lag_days: business days (JST) that have ended since.
        rows, table_bytes: what BigQuery says that the published table holds.
        staged_bytes: of the last load that was published.
        usd_month: an estimate, see FORMULA.
    """

    table: str
    publish: str
    through: date | None
    lag_days: int | None
    rows: int | None
    table_bytes: int | None
    staged_bytes: int | None
    usd_month: float
    last_run: str | None
    last_outcome: str | None
    last_at: datetime | None
    last_failure: str | None
    last_failure_at: datetime | None
    last_failure_run: str | None


@dataclass(frozen=True)
class RunStatus:
    """How one run went; one without an end that holds no lease was killed, or lost its source."""

    run_id: str
    day: date
    started: datetime
    ended: datetime | None
    state: str
    tables: int | None
    published: int | None
    exit_code: int | None
    seconds: float | None


def table_status(ledger: Ledger, settings: Settings, contracts: Mapping[str, Contract]) -> list[TableStatus]:
    """Returns every contract's table as it stands.

    Raises:
        PublishFailed, PublishRefused: BigQuery did not answer, or may not be asked.
    """
    last = _last_rows(ledger)
    published = [one.publish for one in contracts.values()]
    tables = dict(zip(contracts, at_once(ledger.warehouse.find_table, published, _AT_ONCE), strict=True))
    today = previous_business_day(now())
    return [
        _status(contract, last.get(name, {}), tables[name], settings, today) for name, contract in contracts.items()
    ]


def formula(settings: Settings) -> str:
    """Returns how the cost is estimated, with the settings' own numbers."""
    costs, keep = settings.costs, settings.stage.keep_days
    return FORMULA.format(table=costs.table_usd_gib_month, stage=costs.stage_usd_gib_month, keep=keep)


def last_runs(ledger: Ledger, last: int) -> list[RunStatus]:
    """Returns the last runs, the latest first."""
    table = ledger.table_id("runs")
    sql = (
        f"SELECT s.run_id, s.day, s.at AS started, e.at AS ended, e.tables, e.published, e.exit_code, e.seconds "
        f"FROM `{table}` AS s LEFT JOIN `{table}` AS e ON e.run_id = s.run_id AND e.event = 'ended' "
        "WHERE s.event = 'started' ORDER BY started DESC LIMIT @last"
    )
    rows = ledger.read(sql, last=last)
    holding = {one.run_id for one in LeaseBook(ledger, "").live().values()} if any(not r["ended"] for r in rows) else ()
    return [
        RunStatus(
            run_id=row["run_id"],
            day=row["day"],
            started=row["started"],
            ended=row["ended"],
            state="ended" if row["ended"] else "running" if row["run_id"] in holding else "broken off",
            tables=row["tables"],
            published=row["published"],
            exit_code=row["exit_code"],
            seconds=row["seconds"],
        )
        for row in rows
    ]


def _last_rows(ledger: Ledger) -> dict[str, dict[str, Any]]:  # Any: BigQuery's rows
    """Returns the last row of each kind of outcome of each table; one query."""
    sql = (
        "SELECT table_name, CASE WHEN STARTS_WITH(outcome, 'failed') THEN 'failed' ELSE outcome END AS kind, "
        "MAX(day) AS day, MAX(`at`) AS `at`, MAX_BY(run_id, `at`) AS run_id, MAX_BY(outcome, `at`) AS outcome, "
        f"MAX_BY(bytes, `at`) AS bytes FROM `{ledger.table_id('table_loads')}` GROUP BY table_name, kind"
    )
    last: dict[str, dict[str, Any]] = {}
    for row in ledger.read(sql):
        last.setdefault(row["table_name"], {})[row["kind"]] = row
    return last


def _status(
    contract: Contract, rows: Mapping[str, Any], table: bigquery.Table | None, settings: Settings, today: date
) -> TableStatus:
    loaded: Sequence[date] = [rows[kind]["day"] for kind in LOADED if kind in rows]
    through = max(loaded, default=None)
    last = max(rows.values(), key=lambda row: row["at"], default=None)
    failed, published = rows.get(LoadOutcome.FAILED), rows.get(LoadOutcome.PUBLISHED)
    table_bytes = int(table.num_bytes or 0) if table else None
    staged = published["bytes"] if published else None
    return TableStatus(
        table=contract.table,
        publish=contract.publish,
        through=through,
        lag_days=max(0, (today - through).days) if through else None,
        rows=int(table.num_rows or 0) if table else None,
        table_bytes=table_bytes,
        staged_bytes=staged,
        usd_month=_usd_month(table_bytes or 0, staged or 0, settings),
        last_run=last["run_id"] if last else None,
        last_outcome=last["outcome"] if last else None,
        last_at=last["at"] if last else None,
        last_failure=failure_kind(failed["outcome"]) if failed else None,
        last_failure_at=failed["at"] if failed else None,
        last_failure_run=failed["run_id"] if failed else None,
    )


def _usd_month(table_bytes: int, staged_bytes: int, settings: Settings) -> float:
    stored = table_bytes / _GIB * settings.costs.table_usd_gib_month
    staged = staged_bytes / _GIB * settings.stage.keep_days / 30 * settings.costs.stage_usd_gib_month
    return round(stored + staged, 6)
