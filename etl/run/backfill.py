"""Backfill: a range of business days is loaded again, oldest first, in steps that can be resumed.

A table that holds nothing outside the range is replaced in one step. Everything else is replaced day by day, no faster
than BigQuery's limit of changes to a table a day; what is left then is left to the next day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Final

from etl.cloud.bigquery import Warehouse
from etl.errors import NO_ROW_READ, TRANSIENT, SettingsInvalid, worst
from etl.installation import Installation
from etl.ledger import done_days, modifications_today
from etl.plan import Scope
from etl.progress import Progress
from etl.publish import MODIFICATIONS_A_DAY, PARTITIONS_A_JOB
from etl.run.daily import load_day
from etl.run.record.results import RunResult
from etl.run.request import Run, Selection
from etl.settings import Settings
from etl.spark import begin_session
from expectations.suite import BUNDLED as SUITES
from schemas.business_days import Window
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.loads import PartitionLoad, SnapshotLoad

_KEPT_FOR_TONIGHT: Final = 100
"""Changes of a table that a backfill leaves to the daily run."""


@dataclass(frozen=True)
class Backfilled:
    """How a backfill ended.

    Attributes:
        runs: one a step, oldest days first.
        left: table → how many days are left, because BigQuery lets a table be changed only so often a day.
    """

    runs: tuple[RunResult, ...]
    left: Mapping[str, int]

    @property
    def exit_code(self) -> int:
        """As of a run; 3 also where days are left."""
        return worst(*(run.exit_code for run in self.runs), TRANSIENT if self.left else 0)

    @property
    def reason(self) -> str:
        """As of a run; also how many tables have days left."""
        failed = [run.reason for run in self.runs if run.exit_code]
        return "; ".join([*failed, *([f"days are left of {len(self.left)} tables"] if self.left else [])])


def backfill(
    settings: Settings,
    asked: Window,
    progress: Progress,
    tables: Sequence[str] = (),
    contracts: Path = CONTRACTS,
    suites: Path = SUITES,
    *,
    resume: bool = False,
) -> Backfilled:
    """Loads a range of business days: of every table with business days, or of the tables named.

    A named table without business days is loaded whole. A table that fails does not keep the others from going on.

    Args:
        settings: of the installation.
        asked: the business days (JST).
        progress: hears of every step.
        tables: names of contracts; empty means all that are partitioned by business days.
        contracts: the folder of the contracts.
        suites: the folder of the suites.
        resume: whether days are left out that the ledger proves loaded under the present contract and key.

    Raises:
        SettingsInvalid: a table is unknown, or keeps snapshots: a past day's state cannot be read any more.
        KagemushaError: nothing could be read at all; see `daily_run`.
    """
    read = Selection.read(contracts, suites, tables, settings.bigquery)
    selection = _loadable_again(read, named=bool(tables)).checked()
    installation = Installation.open(settings)
    steps = {name: _steps(installation, one, asked, resume=resume) for name, one in selection.chosen.items()}
    if any(steps.values()):
        begin_session()
    allowance = _Allowance.of(installation, selection)
    runs = tuple(_run_steps(installation, selection, asked.last, steps, allowance, progress))
    return Backfilled(runs, allowance.left)


def _run_steps(
    installation: Installation,
    selection: Selection,
    day: date,
    steps: Mapping[str, tuple[Scope, ...]],
    allowance: _Allowance,
    progress: Progress,
) -> Iterator[RunResult]:
    """Yields the run of each step; a table that failed, or may be changed no more today, is left out from then on."""
    failed: set[str] = set()
    for step in zip_longest(*steps.values()):
        pending = {name: scope for name, scope in zip(steps, step, strict=True) if scope and name not in failed}
        scopes = {name: scope for name, scope in pending.items() if allowance.takes(name, modifications(scope))}
        if scopes:
            run = Run.begin(day, scopes)
            result = load_day(installation, selection.only(scopes), run, progress)
            failed |= {one.table for one in result.tables if one.exit_code}
            yield result


class _Allowance:
    """How often each table may still be changed today; one that is refused once waits, so that its days stay in order.

    Args:
        allowed: table → how often.
    """

    def __init__(self, allowed: Mapping[str, int]) -> None:
        self._allowed = dict(allowed)
        self._left = dict.fromkeys(allowed, 0)

    @classmethod
    def of(cls, installation: Installation, selection: Selection) -> _Allowance:
        """Returns what BigQuery's limit still leaves of the chosen tables today, and the daily run does not need."""
        return cls(
            {
                name: MODIFICATIONS_A_DAY - _KEPT_FOR_TONIGHT - modifications_today(installation.warehouse, contract)
                for name, contract in selection.chosen.items()
            }
        )

    def takes(self, table: str, changes: int) -> bool:
        """Tells whether the table may be changed so often, and counts the changes: as done, or as left."""
        if self._left[table] or changes > self._allowed[table]:
            self._left[table] += changes
            return False
        self._allowed[table] -= changes
        return True

    @property
    def left(self) -> dict[str, int]:
        """Table → changes that were refused; tables without any are not named."""
        return {table: changes for table, changes in self._left.items() if changes}


def _loadable_again(selection: Selection, *, named: bool) -> Selection:
    """Returns the selection of the tables whose past days can be read: where none is named, of those with such days."""
    loads = {name: contract.load for name, contract in selection.chosen.items()}
    if not named:
        return selection.only([name for name, load in loads.items() if isinstance(load, PartitionLoad)])
    snapshots = [name for name, load in loads.items() if isinstance(load, SnapshotLoad)]
    if snapshots:
        raise SettingsInvalid(
            f"{', '.join(snapshots)}: a snapshot of a past day cannot be taken any more.",
            not_done=NO_ROW_READ,
            advice="Leave the table out; `kagemusha run` takes today's snapshot.",
        )
    return selection


def _steps(installation: Installation, contract: Contract, asked: Window, *, resume: bool) -> tuple[Scope, ...]:
    """Returns what each step reads of one table; a table without business days is loaded whole, in the first."""
    if not isinstance(contract.load, PartitionLoad):
        return (Scope(asked.last),)
    warehouse, keys = installation.warehouse, installation.keys
    done = done_days(warehouse, contract, keys) if resume else frozenset[date]()
    alone = not holds_other_days(warehouse, contract, asked)
    return scopes_of(asked, done, alone=alone, at_most=installation.settings.limits.backfill_days)


def holds_other_days(warehouse: Warehouse, contract: Contract, asked: Window) -> bool:
    """Tells whether the published table has rows of days outside a range."""
    if warehouse.find_table(contract.publish) is None:
        return False
    by = f"`{contract.partition_by}`"
    sql = (
        f"SELECT COUNT(*) AS others FROM `{warehouse.table_id(contract.publish)}` WHERE {by} >= DATE '0001-01-01' "
        f"AND ({by} < @first OR {by} > @last)"
    )
    (row,) = warehouse.rows("Published days could not be counted", sql, first=asked.first, last=asked.last)
    return bool(row["others"])


def scopes_of(asked: Window, done: frozenset[date], *, alone: bool, at_most: int) -> tuple[Scope, ...]:
    """Returns the steps of one table with business days, oldest first.

    Args:
        asked: the days to load.
        done: days that need not be loaded.
        alone: whether the published table holds no other days than those asked for.
        at_most: how many days one step loads.
    """
    days = [day for day in asked.days if day not in done]
    if alone and len(days) == len(asked.days) and at_most < len(days) <= PARTITIONS_A_JOB:
        return (Scope(asked.last, window=asked, at_once=True),)
    return tuple(Scope(asked.last, window=one) for one in windows(days, at_most))


def windows(days: Sequence[date], at_most: int) -> tuple[Window, ...]:
    """Returns ranges of consecutive days, oldest first, of so many days at most, that hold exactly these days."""
    found: list[Window] = []
    for day in sorted(days):
        last = found[-1] if found else None
        if last and day - last.last == timedelta(days=1) and len(last.days) < at_most:
            found[-1] = Window(last.first, day)
        else:
            found.append(Window(day, day))
    return tuple(found)


def modifications(scope: Scope) -> int:
    """Returns how many load jobs of the step change its table."""
    return len(scope.window.days) if scope.window and not scope.at_once else 1
