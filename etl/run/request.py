"""What a run was asked for: which business day of which tables, under which contracts and suites."""

from __future__ import annotations

import secrets
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from etl.clock import now
from etl.errors import NO_ROW_READ
from schemas.contract import Contract
from schemas.contract_file import load_contracts, select_contracts
from schemas.namespaces import refuse_foreign_names
from schemas.policy import refuse_breaches
from schemas.view_file import View, load_views

if TYPE_CHECKING:  # a second of imports, during which Spark starts once a selection is read
    from etl.plan import Scope
    from etl.settings import BigQuerySettings


@dataclass(frozen=True)
class Run:
    """One run: its id and the rows that it reads.

    Attributes:
        run_id: names the run in the ledger, in storage, and in the source's list of sessions.
        day: the target business day (JST).
        began: when it began, which is before the snapshot.
        scopes: table → what is read of it, where that is not what its mode says of the day.
        started: the monotonic clock when it began, in seconds.
        accepted_deletes: how many rows a merge may delete beyond what its contract lets one run delete.
    """

    run_id: str
    day: date
    began: datetime
    scopes: Mapping[str, Scope]
    started: float
    accepted_deletes: int = 0

    @classmethod
    def begin(cls, day: date, scopes: Mapping[str, Scope], accepted_deletes: int = 0) -> Run:
        """Returns a run that begins now, under an id of its own."""
        began = now()
        run_id = f"{day:%Y%m%d}-{began:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        return cls(
            run_id=run_id,
            day=day,
            began=began,
            scopes=scopes,
            started=time.monotonic(),
            accepted_deletes=accepted_deletes,
        )

    @property
    def seconds(self) -> float:
        """How long it has been at work."""
        return time.monotonic() - self.started


@dataclass(frozen=True)
class Selection:
    """The contracts of an installation, all of them in order, and those whose tables a run loads.

    Attributes:
        known: every contract, by table; joins and views may lead to any.
        chosen: those to load.
        views: what the folder of the contracts publishes besides.
        suites: the folder of the tables' own suites.
        folder: of the contracts.
    """

    known: Mapping[str, Contract]
    chosen: Mapping[str, Contract]
    views: Sequence[View]
    suites: Path
    folder: Path

    @classmethod
    def read(cls, contracts: Path, suites: Path, tables: Sequence[str], bigquery: BigQuerySettings) -> Selection:
        """Reads a folder's contracts and views, and chooses the tables named, or all.

        Raises:
            ContractInvalid: a contract is wrong, they break the policy, or a name is no contract's table; one publishes
                into a dataset of the product, or a view reads what no contract publishes.
            SettingsInvalid: a view does not say what it answers.
        """
        known = load_contracts(contracts)
        refuse_breaches(list(known.values()))
        chosen, views = select_contracts(known, tables), load_views(contracts / "views")
        refuse_foreign_names(
            known.values(), {view.name: view.sql for view in views}, bigquery.own_datasets, NO_ROW_READ
        )
        return cls(known=known, chosen=chosen, views=views, suites=suites, folder=contracts)

    def checked(self) -> Selection:
        """Returns the selection as it is, once every chosen table's suite is proven to fit its contract.

        Raises:
            ContractInvalid: a suite does not.
        """
        from etl.audit import checks_of  # noqa: PLC0415  as above

        for contract in self.chosen.values():
            checks_of(contract, 0, self.suites)
        return self

    def only(self, tables: Container[str]) -> Selection:
        """Returns the selection of these tables, of those chosen."""
        return replace(self, chosen={name: one for name, one in self.chosen.items() if name in tables})

    def without(self, tables: Container[str]) -> Selection:
        """Returns the selection without these tables."""
        return replace(self, chosen={name: one for name, one in self.chosen.items() if name not in tables})
