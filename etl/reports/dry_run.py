"""What a run of a day would read and replace, by the catalogue and the statistics; no row is read, none is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from etl.errors import SourceUnavailable
from etl.plan import Scope, TablePlan, plan_table
from etl.settings import Settings
from etl.source import Say, hold_snapshot, join_snapshot
from masking.errors import KagemushaError
from schemas.contract import Contract

_MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class DryRun:
    """One table's plan, or why there is none.

    Attributes:
        locked_seconds: how long a run locks the table at most; None where the engine locks nothing.
    """

    contract: Contract
    plan: TablePlan | None
    refusal: KagemushaError | None = None
    locked_seconds: float | None = None

    @property
    def masked(self) -> int:
        """How many of the columns that are read come out as something else."""
        return sum(not column.kept for column in self.contract.selected.values())

    @property
    def dropped(self) -> int:
        """How many columns do not leave the database."""
        return len(self.contract.columns) - len(self.contract.selected)


def dry_run(settings: Settings, contracts: Mapping[str, Contract], day: date, say: Say) -> tuple[DryRun, ...]:
    """Returns what a run of the day would do with each table; a merge table is planned as if nothing were published.

    Args:
        settings: the settings.
        contracts: the tables to plan.
        day: the business day.
        say: hears what the run would warn of.

    Raises:
        EndpointRefused, CredentialsRefused, SourceUnavailable: the source cannot be asked.
    """
    found: list[DryRun] = []
    locked = settings.source.hold_seconds if settings.source.engine == "postgres" else None
    sources = [contract.source for contract in contracts.values()]
    with hold_snapshot(settings.source, say=say) as held, join_snapshot(held.snapshot, sources) as session:
        for contract in contracts.values():
            try:
                with session.isolated():
                    size = round(settings.source.slice_mib * _MIB)
                    own = settings.cards.own_iins
                    plan = plan_table(session, contract, Scope(day), size, measure=False, own_iins=own)
                    found.append(DryRun(contract, plan, locked_seconds=locked))
            except SourceUnavailable:
                raise
            except KagemushaError as refusal:
                found.append(DryRun(contract, None, refusal))
    return tuple(found)
