"""Drift as an error that stops one table's plan: one class a kind, all differences in its text, lines to paste."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from etl.errors import NO_ROW_READ, PlanRejected, SourceForbidden, SourceTableMissing
from etl.plan.drift.find import Drift, DriftKind, find_drift
from etl.source import SourceTable
from schemas.contract import Contract
from schemas.types import EngineName


class ColumnsNullable(PlanRejected):
    """Columns that the contract knows as never NULL may be NULL at the source."""


class ColumnsRetyped(PlanRejected):
    """Columns have another type at the source than the contract says."""


class ColumnsRenamed(PlanRejected):
    """Columns of the contract seem to have another name at the source."""


class ColumnsMissing(PlanRejected):
    """The contract names columns that the source does not have."""


class ColumnsUndecided(PlanRejected):
    """The source has columns that the contract does not name."""


def without_drift(
    contract: Contract, source: SourceTable | None, engine: EngineName, known: Sequence[str] = ()
) -> SourceTable:
    """Returns the table where its catalogue agrees with its contract.

    Raises:
        PlanRejected: it does not; the class is that of the first kind of difference, the text has all of them.
    """
    found = [one for one in find_drift(contract, source, engine, known) if one.stops]
    if source is not None and not found:
        return source
    kinds = [(kind, list(drifts)) for kind, drifts in groupby(found, key=lambda one: one.kind)]
    error = _ERRORS[kinds[0][0]][0]
    raise error(
        " ".join(_ERRORS[kind][1](contract.source, drifts) for kind, drifts in kinds),
        not_done=NO_ROW_READ,
        advice="\n  ".join(_advice(kind, drifts) for kind, drifts in kinds),
        where={"table": contract.table, "file": f"{contract.table}.yaml"},
    )


def _advice(kind: DriftKind, drifts: Sequence[Drift]) -> str:
    if kind is DriftKind.NEW:
        return "Add to the contract's columns:\n" + "\n".join(f"    {one.advice}" for one in drifts) + "\n "
    return "\n  ".join(dict.fromkeys(one.advice for one in drifts))


def _no_table(source: str, _: Sequence[Drift]) -> str:
    return f"The source has no table {source}."


def _no_privilege(source: str, drifts: Sequence[Drift]) -> str:
    columns = [one.column for one in drifts if one.column]
    schema = "" if len(columns) == len(drifts) else f"The ETL user may not look into the schema of {source}."
    names = f"The ETL user may not read {_count(columns, 'column')} of {source}: {', '.join(columns)}."
    return f"{schema} {names if columns else ''}".strip()


def _new(source: str, drifts: Sequence[Drift]) -> str:
    names = ", ".join(f"{one.column} ({one.source})" for one in drifts)
    return f"{_count(drifts, 'column')} of {source} {'has' if len(drifts) == 1 else 'have'} no decision: {names}."


def _missing(source: str, drifts: Sequence[Drift]) -> str:
    return f"{source} lacks {_count(drifts, 'column')} of the contract: {', '.join(one.column for one in drifts)}."


def _renamed(source: str, drifts: Sequence[Drift]) -> str:
    pairs = "; ".join(f"{one.contract} is gone, {one.source} is like it" for one in drifts)
    return f"{_count(drifts, 'column')} of {source} may have another name now: {pairs}."


def _retyped(source: str, drifts: Sequence[Drift]) -> str:
    pairs = "; ".join(f"{one.column} is {one.source}, the contract says {one.contract}" for one in drifts)
    return f"{_count(drifts, 'column')} of {source} changed type: {pairs}."


def _nullable(source: str, drifts: Sequence[Drift]) -> str:
    names = ", ".join(one.column for one in drifts)
    return f"{_count(drifts, 'column')} of {source} may be NULL, the contract says never: {names}."


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


_ERRORS: Final[dict[DriftKind, tuple[type[PlanRejected], Callable[[str, Sequence[Drift]], str]]]] = {
    DriftKind.NO_TABLE: (SourceTableMissing, _no_table),
    DriftKind.NO_PRIVILEGE: (SourceForbidden, _no_privilege),
    DriftKind.NEW: (ColumnsUndecided, _new),
    DriftKind.MISSING: (ColumnsMissing, _missing),
    DriftKind.RENAMED: (ColumnsRenamed, _renamed),
    DriftKind.RETYPED: (ColumnsRetyped, _retyped),
    DriftKind.NULLABLE: (ColumnsNullable, _nullable),
}
