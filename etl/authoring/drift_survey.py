"""Compares every chosen contract with the source, each by itself; the catalogue is asked, no row is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from etl.authoring.drift_report import TableDrift, suggested_diff
from etl.plan import find_drift
from etl.settings import SourceSettings
from etl.source import hold_snapshot, join_snapshot
from schemas.contract import Contract


def survey_drift(source: SourceSettings, contracts: Mapping[str, Contract], folder: Path) -> tuple[TableDrift, ...]:
    """Returns what each contract and the source disagree about.

    Args:
        source: settings of the endpoint, which must be a reader as for a run.
        contracts: those to compare.
        folder: where their files are, for the diffs.

    Raises:
        EndpointRefused, CredentialsRefused, SourceUnavailable: the source cannot be asked.
    """
    found = []
    with hold_snapshot(source) as held, join_snapshot(held.snapshot) as session:
        known = session.relations()
        for name, contract in contracts.items():
            drifts = find_drift(contract, session.describe(contract.source), session.dialect.name, known)
            diff = suggested_diff(folder / f"{name}.yaml", drifts)
            found.append(TableDrift(name, contract.source, drifts, diff))
    return tuple(found)
