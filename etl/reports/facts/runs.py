"""Runs and their tables' loads, as the ledger has them: counts, names, times."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from google.cloud import bigquery

from etl.ledger import LeaseBook, Ledger, LoadOutcome, failure_kind
from etl.reports.facts.checks import CheckFacts, check_facts

Row = bigquery.Row


@dataclass(frozen=True)
class LoadFacts:
    """One table of one run; what a step did not reach is empty or None.

    Attributes:
        outcome: in the ledger's words.
        failure: the kind of the error, or empty.
        error: what the run said of it, in names and counts.
        quarantined: rows left out.
        steps: seconds of staging and of the audit.
        nulls: column → how many of its published values are NULL.
        signed: whether the row is signed under a key version.
        audited: how many checks its audit had.
        held: how many of them held.
        checks: all of them, or those alone that did not hold; these come first.
    """

    run_id: str
    table: str
    day: date
    at: datetime
    first: date | None
    last: date | None
    outcome: str
    error: str
    rows: int | None
    bytes: int | None
    partitions: int
    deleted: int
    quarantined: int
    seconds: float
    peak_mib: int
    steps: Mapping[str, float]
    nulls: Mapping[str, int]
    contract_digest: str
    manifest_digest: str
    key_checks: Mapping[str, str]
    signed: bool
    audited: int
    held: int
    checks: tuple[CheckFacts, ...]

    @property
    def failure(self) -> str:
        """The kind of the error with which it ended; empty where it did not fail."""
        return failure_kind(self.outcome) or ""

    @property
    def published(self) -> bool:
        """Whether it published rows."""
        return self.outcome == LoadOutcome.PUBLISHED

    @property
    def told_whole(self) -> bool:
        """Whether it was audited, and every check of the audit is told."""
        return 0 < self.audited == len(self.checks)

    @property
    def failed_checks(self) -> tuple[CheckFacts, ...]:
        """The checks that did not hold."""
        return tuple(one for one in self.checks if not one.passed)


@dataclass(frozen=True)
class RunFacts:
    """One run.

    Attributes:
        state: ended, running, or broken off.
        loads: of its tables, by name.
    """

    run_id: str
    day: date
    started: datetime
    ended: datetime | None
    state: str
    exit_code: int | None
    seconds: float | None
    instance: str
    snapshot: str
    package: str
    loads: tuple[LoadFacts, ...]

    @property
    def rows(self) -> int:
        """How many rows it published."""
        return sum(one.rows or 0 for one in self.loads if one.published)

    @property
    def bytes(self) -> int:
        """How many bytes it staged."""
        return sum(one.bytes or 0 for one in self.loads)

    @property
    def failed(self) -> tuple[LoadFacts, ...]:
        """The tables that failed."""
        return tuple(one for one in self.loads if one.failure)

    @property
    def published(self) -> int:
        """How many tables it published."""
        return sum(one.published for one in self.loads)

    @property
    def ended_well(self) -> bool:
        """Whether it ended, and nothing failed."""
        return self.state == "ended" and self.exit_code == 0


def last_runs(ledger: Ledger, last: int) -> tuple[RunFacts, ...]:
    """Returns the last runs with their loads, the latest first; all checks of a table's last load are told.

    Of earlier loads those are told that did not hold, and how many there were.
    """
    events = ledger.read(
        f"SELECT run_id, MIN(`at`) AS began FROM `{ledger.table_id('runs')}` "
        "GROUP BY run_id ORDER BY began DESC LIMIT @last",
        last=last,
    )
    names = [row["run_id"] for row in events]
    return runs_of(ledger, names, whole=False)


def runs_of(ledger: Ledger, names: Sequence[str], *, whole: bool = True) -> tuple[RunFacts, ...]:
    """Returns these runs, the latest first; a name that the ledger does not know has none.

    Args:
        ledger: knows them.
        names: of the runs.
        whole: whether every check of every load is wanted; else see `last_runs`.
    """
    if not names:
        return ()
    sql = f"SELECT * FROM `{ledger.table_id('runs')}` WHERE run_id IN UNNEST(@names) ORDER BY `at`"
    events: dict[str, list[Row]] = defaultdict(list)
    for row in ledger.read(sql, names=list(names)):
        events[row["run_id"]].append(row)
    loads = _loads(ledger, list(names), whole=whole)
    unended = any(all(row["event"] != "ended" for row in rows) for rows in events.values())
    holding = {one.run_id for one in LeaseBook(ledger, "").live().values()} if unended else set()
    found = [_run(rows, loads.get(name, ()), holding) for name, rows in events.items()]
    return tuple(sorted(found, key=lambda run: run.started, reverse=True))


def run_before(ledger: Ledger, run: RunFacts) -> str:
    """Returns the run that began last before another; empty where there is none."""
    sql = (
        f"SELECT run_id FROM `{ledger.table_id('runs')}` WHERE event = 'started' AND `at` < @started "
        "AND run_id <> @run ORDER BY `at` DESC LIMIT 1"
    )
    rows = ledger.read(sql, started=run.started, run=run.run_id)
    return str(rows[0]["run_id"]) if rows else ""


def _run(rows: Sequence[Row], loads: Sequence[LoadFacts], holding: set[str]) -> RunFacts:
    by_event = {row["event"]: row for row in rows}
    first, end = by_event.get("started", rows[0]), by_event.get("ended")
    running = first["run_id"] in holding
    return RunFacts(
        run_id=first["run_id"],
        day=first["day"],
        started=first["at"],
        ended=end["at"] if end else None,
        state="ended" if end else "running" if running else "broken off",
        exit_code=end["exit_code"] if end else None,
        seconds=end["seconds"] if end else None,
        instance=first["source_instance"] or "",
        snapshot=first["snapshot"] or "",
        package=first["package_version"] or "",
        loads=tuple(sorted(loads, key=lambda load: load.table)),
    )


def _loads(ledger: Ledger, names: list[str], *, whole: bool) -> dict[str, list[LoadFacts]]:
    sql = (
        f"SELECT * EXCEPT (checks) FROM `{ledger.table_id('table_loads')}` WHERE run_id IN UNNEST(@names) ORDER BY `at`"
    )
    rows = ledger.read(sql, names=names)
    last = {row["table_name"]: _load_id(row) for row in rows if row["expectations"]}
    checks = _checks(ledger, names, [_load_id(row) for row in rows] if whole else list(last.values()))
    found: dict[str, list[LoadFacts]] = defaultdict(list)
    for row in rows:
        found[row["run_id"]].append(_load(row, checks.get((_load_id(row), row["at"]), ())))
    return found


def _load_id(row: Row) -> str:
    return f"{row['run_id']}/{row['table_name']}"


def _checks(ledger: Ledger, names: list[str], whole: list[str]) -> dict[tuple[str, datetime], list[CheckFacts]]:
    """Returns checks by load and the time of its row: all of these loads, of others those that did not hold."""
    sql = (
        f"SELECT * FROM `{ledger.table_id('audits')}` WHERE run_id IN UNNEST(@names) "
        "AND (NOT passed OR CONCAT(run_id, '/', table_name) IN UNNEST(@whole))"
    )
    found: dict[tuple[str, datetime], list[CheckFacts]] = defaultdict(list)
    for row in ledger.read(sql, names=names, whole=whole):
        found[_load_id(row), row["at"]].append(check_facts(row))
    return found


def _load(row: Row, checks: Sequence[CheckFacts]) -> LoadFacts:
    return LoadFacts(
        run_id=row["run_id"],
        table=row["table_name"],
        day=row["day"],
        at=row["at"],
        first=row["window_first"],
        last=row["window_last"],
        outcome=row["outcome"],
        error=row["error"] or "",
        rows=row["rows"],
        bytes=row["bytes"],
        partitions=row["partitions"] or 0,
        deleted=row["deleted"] or 0,
        quarantined=left_out(row["quarantined"]),
        seconds=row["seconds"] or 0.0,
        peak_mib=row["peak_mib"] or 0,
        steps={name: float(taken) for name, taken in json.loads(row["step_seconds"] or "{}").items()},
        nulls={name: int(count) for name, count in json.loads(row["nulls"] or "{}").items()},
        contract_digest=row["contract_digest"] or "",
        manifest_digest=row["manifest_digest"] or "",
        key_checks={str(name): str(kcv) for name, kcv in json.loads(row["key_checks"] or "{}").items()},
        signed=bool(row["signature"]),
        audited=row["expectations"] or 0,
        held=row["expectations_passed"] or 0,
        checks=tuple(sorted(checks, key=lambda one: (one.passed, one.severity, one.origin, one.name))),
    )


def left_out(written: str | None) -> int:
    """Returns how many rows a load left out; earlier versions wrote 0 where nothing was staged."""
    rows = json.loads(written or "[]")
    return len(rows) if isinstance(rows, list) else 0
