"""The records that the evidence of a run stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from etl.reports.facts.runs import LoadFacts, RunFacts
from etl.reports.proof.contracts_of_run import RanUnder
from etl.reports.proof.looks import ErasureFacts, KeyEventFacts, LookFacts, Period, WaiverFacts
from schemas.contract import Contract


@dataclass(frozen=True)
class AccessFacts:
    """Who may use a dataset, as BigQuery itself says; `members` is None where there is no such dataset."""

    dataset: str
    members: tuple[tuple[str, str], ...] | None


@dataclass(frozen=True)
class TableProof:
    """One table of the run, and the contract that it ran under."""

    load: LoadFacts
    ran: RanUnder


@dataclass(frozen=True)
class Records:
    """What the evidence of a run is made of; each answer names the records that it stands on.

    Attributes:
        run: with its tables.
        before: the run before it; empty where there is none.
        period: from the end of that run to the end of this one: what people did in it is told.
        contracts: every contract that is known of the run, of tables that it did not load too.
        looks: None where no access log can be read here.
        location: of the datasets.
    """

    run: RunFacts
    before: str
    period: Period
    tables: tuple[TableProof, ...]
    contracts: Mapping[str, Contract]
    key_events: tuple[KeyEventFacts, ...]
    waivers: tuple[WaiverFacts, ...]
    erasures: tuple[ErasureFacts, ...]
    looks: tuple[LookFacts, ...] | None
    access: tuple[AccessFacts, ...]
    location: str

    @property
    def keys_used(self) -> dict[str, str]:
        """The key versions that the run used, with their check values."""
        return {version: kcv for one in self.tables for version, kcv in sorted(one.load.key_checks.items())}
