"""Two runs compared: what is newly exposed since an earlier one, and what else an assessor would ask about."""

from __future__ import annotations

from dataclasses import dataclass

from etl.reports.proof.evidence import Evidence
from etl.reports.proof.records import Records
from schemas.contract import Contract
from schemas.exposure import Change, exposure


@dataclass(frozen=True)
class Comparison:
    """What differs between the records of two runs.

    Attributes:
        since, run: the earlier and the later one.
        exposing: columns that show more than before, with what became of them.
        others: columns that show less, or otherwise.
        new_tables, gone_tables: that only the later one knows, or only the earlier one.
        new_keys: key versions that only the later one used.
        unproven: tables of either run whose contract is not proven: nothing is known of them for sure.
    """

    since: str
    run: str
    exposing: tuple[Change, ...]
    others: tuple[Change, ...]
    new_tables: tuple[str, ...]
    gone_tables: tuple[str, ...]
    new_keys: tuple[str, ...]
    unproven: tuple[str, ...]


def compare(earlier: Evidence, later: Evidence) -> Comparison:
    """Returns what the later run shows that the earlier one did not, by the contracts that each ran under."""
    before, after = _contracts(earlier.records), _contracts(later.records)
    changes = exposure(before, after)
    return Comparison(
        since=earlier.records.run.run_id,
        run=later.records.run.run_id,
        exposing=tuple(one for one in changes if one.verdict.exposes),
        others=tuple(one for one in changes if not one.verdict.exposes),
        new_tables=tuple(sorted(set(after) - set(before))),
        gone_tables=tuple(sorted(set(before) - set(after))),
        new_keys=tuple(sorted(set(later.records.keys_used) - set(earlier.records.keys_used))),
        unproven=tuple(sorted({*_unproven(earlier.records), *_unproven(later.records)})),
    )


def _contracts(records: Records) -> dict[str, Contract]:
    """Returns each table's contract: the proven one where the run loaded the table, else the one that it knew."""
    ran = {one.load.table: one.ran.contract for one in records.tables if one.ran.contract is not None}
    return {**records.contracts, **ran}


def _unproven(records: Records) -> tuple[str, ...]:
    return tuple(one.load.table for one in records.tables if one.load.published and one.ran.proof != "proven")
