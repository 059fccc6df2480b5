"""Backfill: a range of business days is loaded again, oldest first, in steps that can be resumed.

A table that holds nothing outside the range is replaced in one step. Everything else is replaced day by day, no faster
than BigQuery's limit of changes to a table a day; what is left then is left to the next day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Final

from etl.cloud.bigquery.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from etl.errors import NO_ROW_READ, TRANSIENT, SettingsInvalid, worst
from etl.keys.keyrings import open_keyring
from etl.ledger.ledger import Ledger
from etl.ledger.loads import done_days, modifications_today
from etl.plan.scope import Scope
from etl.progress import Progress
from etl.publish.limits import MODIFICATIONS_A_DAY, PARTITIONS_A_JOB
from etl.run.daily import daily_run
from etl.run.results import RunResult
from etl.settings import Settings
from expectations.suite import BUNDLED as SUITES
from masking.keyring import KeyRef, Keyring
from schemas.business_days import Window
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts, select_contracts
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
    chosen = _chosen(select_contracts(load_contracts(contracts), tables), named=bool(tables))
    warehouse = Warehouse.of(settings)
    warehouse.check()
    Ledger(warehouse).ensure()
    keys = open_keyring(KeyRef(settings.keyring.ref))
    plans = {
        name: _scopes(warehouse, contract, keys, asked, settings.limits.backfill_days, resume=resume)
        for name, contract in chosen.items()
    }
    allowed = {
        name: MODIFICATIONS_A_DAY - _KEPT_FOR_TONIGHT - modifications_today(warehouse, contract)
        for name, contract in chosen.items()
    }
    runs: list[RunResult] = []
    failed: set[str] = set()
    left = dict.fromkeys(chosen, 0)
    for step in zip_longest(*plans.values()):
        scopes = {name: scope for name, scope in zip(plans, step, strict=True) if scope and name not in failed}
        for name, scope in list(scopes.items()):
            cost = modifications(scope)
            if left[name] or cost > allowed[name]:
                left[name] += cost
                del scopes[name]
            else:
                allowed[name] -= cost
        if scopes:
            runs.append(daily_run(settings, asked.last, progress, list(scopes), contracts, suites, scopes))
            failed |= {one.table for one in runs[-1].tables if one.exit_code}
    return Backfilled(tuple(runs), {name: days for name, days in left.items() if days})


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
    """Returns how many load jobs change the table."""
    return len(scope.window.days) if scope.window and not scope.at_once else 1


def scopes_of(asked: Window, done: frozenset[date], *, alone: bool, at_most: int) -> tuple[Scope, ...]:
    """Returns the steps of one table with business days.

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


def _scopes(
    warehouse: Warehouse, contract: Contract, keys: Keyring, asked: Window, at_most: int, *, resume: bool
) -> tuple[Scope, ...]:
    if not isinstance(contract.load, PartitionLoad):
        return (Scope(asked.last),)
    done = done_days(warehouse, contract, keys) if resume else frozenset[date]()
    alone = not holds_other_days(warehouse, contract, asked)
    return scopes_of(asked, done, alone=alone, at_most=at_most)


def _chosen(contracts: Mapping[str, Contract], *, named: bool) -> dict[str, Contract]:
    if not named:
        return {name: one for name, one in contracts.items() if isinstance(one.load, PartitionLoad)}
    snapshots = [name for name, one in contracts.items() if isinstance(one.load, SnapshotLoad)]
    if snapshots:
        raise SettingsInvalid(
            f"{', '.join(snapshots)}: a snapshot of a past day cannot be taken any more.",
            not_done=NO_ROW_READ,
            advice="Leave the table out; `kagemusha run` takes today's snapshot.",
        )
    return dict(contracts)


def holds_other_days(warehouse: Warehouse, contract: Contract, asked: Window) -> bool:
    """Tells whether the published table has rows of days outside a range."""
    if warehouse.find_table(contract.publish) is None:
        return False
    by = f"`{contract.partition_by}`"
    sql = (
        f"SELECT COUNT(*) AS others FROM `{warehouse.table_id(contract.publish)}` WHERE {by} >= DATE '0001-01-01' "
        f"AND ({by} < DATE '{asked.first.isoformat()}' OR {by} > DATE '{asked.last.isoformat()}')"
    )
    with translated("Published days could not be counted"):
        (row,) = warehouse.client.query_and_wait(sql, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
    return bool(row["others"])
