"""Compares a contract with the source's catalogue before a row is read: every difference by name, with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from etl.plan.drift.renamed import renames
from etl.plan.drift.types import holds, spelled
from etl.source import POSTGRES, SourceColumn, SourceTable
from schemas.contract import Contract
from schemas.guess import guess
from schemas.patch import Edit, EditKind, yaml_type
from schemas.reviewed import NAME
from schemas.types import ColumnType, EngineName, suggest, why_not
from schemas.yaml_text import yaml_name

_TABLES: Final = frozenset({"r", "p"})
"""Kinds of relations for which the catalogue has NOT NULL and keys; views are not among them."""
_ALIKE: Final = 0.6
"""The likeness of names (difflib's ratio) from which a missing table may be the other one."""


class DriftKind(StrEnum):
    """How a source table differs from its contract."""

    NO_TABLE = "no table"
    NO_PRIVILEGE = "no privilege"
    NEW = "new column"
    MISSING = "missing column"
    RENAMED = "renamed column"
    RETYPED = "other type"
    NULLABLE = "may be NULL"
    KEY = "key not enforced"


WARNINGS: Final = frozenset({DriftKind.KEY})
"""What the audit proves on the staged rows anyway: reported, but no reason to stop."""


@dataclass(frozen=True)
class Drift:
    """One difference between a source table and its contract.

    Attributes:
        column: of the contract, or of the source where the contract has none; empty for the whole table.
        contract: what the contract says; empty where nothing.
        source: what the catalogue says; empty where nothing.
        advice: what a person does about it.
        edits: the same as edits of the contract; none where the contract is not what must change.
    """

    kind: DriftKind
    column: str
    contract: str
    source: str
    advice: str
    edits: tuple[Edit, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether the table is not read because of it."""
        return self.kind not in WARNINGS


def find_drift(
    contract: Contract, source: SourceTable | None, engine: EngineName, known: Sequence[str] = ()
) -> tuple[Drift, ...]:
    """Returns every difference, in the order of kinds, then of columns.

    Args:
        contract: the table's contract.
        source: what the catalogue says about its table; None where there is none.
        engine: whose catalogue it is.
        known: the tables of the database, to suggest the new name of a missing one.
    """
    if source is None:
        return (_no_table(contract, engine, known),)
    found = [*_no_privilege(contract, source), *_columns(contract, source, engine), *_keys(contract, source)]
    order = list(DriftKind)
    return tuple(sorted(found, key=lambda one: order.index(one.kind)))


def suggestion(column: SourceColumn, engine: EngineName) -> str:
    """Returns the YAML line that decides a column in the safest way: it does not leave the database."""
    fitting = suggest(column.type, column.precision, column.scale, engine) or "string"
    guessed = guess(column.name, ColumnType.parse(fitting), enum=column.type == "enum", length=column.length)
    said = f"type: {yaml_type(fitting)}, class: {guessed.column_class}, mask: {{strategy: drop}}"
    return f"{yaml_name(column.name)}: {{{said}}}"


def _no_table(contract: Contract, engine: EngineName, known: Sequence[str]) -> Drift:
    name = contract.source.split(".")[1]
    moved = [one for one in known if one.split(".", 1)[1] == name]
    like = moved or get_close_matches(contract.source, known, n=1, cutoff=_ALIKE)
    advice = (
        f"It may be {like[0]} now: write `source: {like[0]}`."
        if like
        else "Correct `source:` in the contract; remove the contract if the table was dropped for good."
    )
    if engine == "mysql":
        advice += " MySQL also hides a table of which the ETL user may read nothing: grant SELECT on it."
    edits = (Edit(EditKind.MOVE_SOURCE, "", like[0]),) if like else ()
    return Drift(DriftKind.NO_TABLE, "", contract.source, "", advice, edits=edits)


def _no_privilege(contract: Contract, source: SourceTable) -> Iterator[Drift]:
    schema = contract.source.split(".")[0]
    if not source.usable:
        advice = f"Grant USAGE on the schema to the ETL user: GRANT USAGE ON SCHEMA {_in_sql(schema)} TO the ETL user;"
        yield Drift(DriftKind.NO_PRIVILEGE, "", "", "no USAGE", advice)
    selected = set(contract.source_names.values())
    unreadable = [one.name for one in source.columns if one.name in selected and not one.readable]
    every = len(unreadable) == len([one for one in source.columns if one.name in selected])
    for name in unreadable:
        part = "SELECT" if every else f"SELECT ({', '.join(_in_sql(one) for one in unreadable)})"
        table = ".".join(_in_sql(one) for one in contract.source.split(".", 1))
        advice = f"Grant SELECT on the table to the ETL user: GRANT {part} ON {table} TO the ETL user;"
        yield Drift(DriftKind.NO_PRIVILEGE, name, "", "no SELECT", advice)


def _in_sql(name: str) -> str:
    """Returns a name as SQL takes it: in quotes where PostgreSQL would fold it or refuse it."""
    return name if NAME.match(name) else POSTGRES.column(name)


def _columns(contract: Contract, source: SourceTable, engine: EngineName) -> Iterator[Drift]:
    present = {column.name: column for column in source.columns}
    renamed = renames(contract, source, engine)
    for old, new in renamed.items():
        yield Drift(
            DriftKind.RENAMED, old, old, f"{new.name} ({spelled(new, engine)})",
            f"{old} is gone and {new.name} is like it: if it holds the same, rename it in the contract; if not, "
            "remove the one and decide about the other.",
            edits=(Edit(EditKind.RENAME, old, new.name),),
        )  # fmt: skip
    news = [one for one in source.columns if one.name not in contract.columns and one not in renamed.values()]
    for column in news:
        line = suggestion(column, engine)
        yield Drift(
            DriftKind.NEW,
            column.name,
            "",
            spelled(column, engine),
            line,
            edits=(Edit(EditKind.ADD, column.name, line),),
        )
    for name, said in contract.columns.items():
        hidden = engine == "mysql" and said.dropped  # MySQL shows no column that the ETL user may not read
        if name not in present and name not in renamed and not hidden:
            yield _missing(contract, name)
    for name in contract.columns:
        if name in present:
            yield from _changed(contract, source, present[name], engine)


def _missing(contract: Contract, name: str) -> Drift:
    places = [
        place
        for place, names in {
            "key": contract.key,
            "cluster_by": contract.cluster_by,
            "reconcile": contract.reconcile,
            "joins": tuple(contract.joins),
            "derive": tuple(one.source for one in contract.derive.values()),
            "load": (contract.day_column, contract.watermark),
        }.items()
        if (contract.columns[name].publish_as or name) in names
    ]
    also = f" It also stands under {', '.join(places)}." if places else ""
    advice = f"Remove the column from the contract, or correct its name.{also}"
    return Drift(
        DriftKind.MISSING, name, str(contract.columns[name].type), "", advice, edits=(Edit(EditKind.REMOVE, name),)
    )


def _changed(contract: Contract, source: SourceTable, column: SourceColumn, engine: EngineName) -> Iterator[Drift]:
    name, said = column.name, contract.columns[column.name]
    if said.dropped:
        return
    if not holds(column, said.type, engine):
        fitting = suggest(column.type, column.precision, column.scale, engine)
        clock = said.type.name == "timestamp" and fitting == "datetime"
        advice = (
            "Its times have no zone: say which clock has them, `type: timestamp(Asia/Tokyo)` or `timestamp(UTC)`, "
            f"or write `type: datetime` where {name} needs to be no instant."
            if clock
            else f"Correct the column's `type:` to {yaml_type(fitting)}, and its mask where that type needs another."
            if fitting
            else f"`drop` {name}, or publish it otherwise: {why_not(column.type, engine)}."
        )
        edits = (Edit(EditKind.RETYPE, name, fitting),) if fitting and not clock else ()
        yield Drift(DriftKind.RETYPED, name, str(said.type), spelled(column, engine), advice, edits=edits)
    if column.not_null or source.kind not in _TABLES:
        return
    places_rows = {contract.day_column: "day is in no window", contract.watermark: "time is never read again"}
    published = said.publish_as or name
    if published in places_rows:
        advice = (
            f"A row without a {places_rows[published]}: make the column NOT NULL at the source, "
            "or load the table with `mode: full`."
        )
        yield Drift(DriftKind.NULLABLE, name, "never NULL", "may be NULL", advice)
    elif not said.nullable:
        advice = "Write `nullable: true` if NULL has a meaning now, or make the column NOT NULL at the source."
        yield Drift(
            DriftKind.NULLABLE, name, "never NULL", "may be NULL", advice, edits=(Edit(EditKind.ALLOW_NULL, name),)
        )


def _keys(contract: Contract, source: SourceTable) -> Iterator[Drift]:
    """Warns where nothing at the source keeps the contract's key unique and not NULL."""
    if source.kind not in _TABLES or not contract.key:
        return
    present = {column.name: column for column in source.columns}
    published = [contract.derive[name].source if name in contract.derive else name for name in contract.key]
    names = [contract.source_names.get(name, name) for name in published]
    if any(name not in present for name in names):
        return
    for name in names:
        if not present[name].not_null and contract.columns[name].nullable:
            advice = "The audit proves it on the staged rows; a constraint at the source would find out sooner."
            yield Drift(DriftKind.KEY, name, "in the key", "may be NULL", advice)
    if source.heirs:
        advice = "Rows of tables that inherit are read too, and no index spans them: the audit proves the key."
        yield Drift(DriftKind.KEY, ", ".join(names), "the key", f"inherited by {', '.join(source.heirs)}", advice)
    elif not any(set(unique) <= set(names) for unique in source.unique):
        advice = "The audit proves it on the staged rows; a unique index at the source would find out sooner."
        yield Drift(DriftKind.KEY, ", ".join(names), "the key", "no unique index", advice)
