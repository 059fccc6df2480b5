"""What of a published table a contract may change: what adds is done, what destroys is refused with the manual way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from google.cloud import bigquery

from etl.errors import NOT_PUBLISHED, PublishRefused
from schemas.contract import Contract

_LEGACY: Final = {
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
_WIDER: Final = {
    "INT64": frozenset({"NUMERIC", "BIGNUMERIC", "FLOAT64"}),
    "NUMERIC": frozenset({"BIGNUMERIC", "FLOAT64"}),
    "BIGNUMERIC": frozenset({"FLOAT64"}),
}
"""What `ALTER COLUMN … SET DATA TYPE` can do (BigQuery documentation, "Data definition language")."""


@dataclass(frozen=True)
class Destruction:
    """One change that only a person may make: what it is, and how it is made."""

    what: str
    manual_way: str


def refuse_destruction(contract: Contract, table: bigquery.Table, wanted: list[bigquery.SchemaField]) -> None:
    """Lets a contract pass whose changes add to the published table and take nothing from it.

    Raises:
        PublishRefused: it removes or retypes a column, or partitions the table otherwise; with the manual way of each.
            Or what bears the table's name is none, such as a view: rows would come to be somewhere else.
    """
    found = list(_kind(contract, table)) or [*_columns(contract, table, wanted), *_partitioning(contract, table)]
    if found:
        ways = dict.fromkeys(one.manual_way for one in found)
        raise PublishRefused(
            f"{contract.publish} differs from its contract: {'; '.join(one.what for one in found)}.",
            not_done=NOT_PUBLISHED,
            advice="Only columns can be added. By hand:\n" + "\n".join(f"  {way}" for way in ways) + "\n ",
            where={"table": contract.table},
        )


def _kind(contract: Contract, table: bigquery.Table) -> Iterator[Destruction]:
    if table.table_type not in {None, "TABLE"}:
        kind = table.table_type.replace("_", " ").lower()
        yield Destruction(
            f"it is a {kind} and no table",
            f"ALTER or DROP the {kind} {contract.publish}; then load all days again: kagemusha backfill "
            f"--table {contract.table} --from …",
        )


def _columns(contract: Contract, table: bigquery.Table, wanted: list[bigquery.SchemaField]) -> Iterator[Destruction]:
    types = {field.name: field.field_type for field in wanted}
    for field in table.schema:
        name, kind = field.name, _LEGACY.get(field.field_type, field.field_type)
        alter = f"ALTER TABLE {contract.publish}"
        if name not in types:
            yield Destruction(f"column {name} would be removed", f"{alter} DROP COLUMN {name};")
        elif field.mode not in {None, "NULLABLE"}:
            yield Destruction(
                f"column {name} is {field.mode}",
                f"{alter} ALTER COLUMN {name} DROP NOT NULL;"
                if field.mode == "REQUIRED"
                else f"{alter} DROP COLUMN {name};",
            )
        elif kind != types[name]:
            wider = types[name] in _WIDER.get(kind, frozenset())
            yield Destruction(
                f"column {name} would change from {kind} to {types[name]}",
                f"{alter} ALTER COLUMN {name} SET DATA TYPE {types[name]};"
                if wider
                else f"{alter} DROP COLUMN {name}; then load all days again: kagemusha backfill "
                f"--table {contract.table} --from …",
            )


def _partitioning(contract: Contract, table: bigquery.Table) -> Iterator[Destruction]:
    by = table.time_partitioning.field if table.time_partitioning else None
    if by != contract.partition_by:
        yield Destruction(
            "its partitioning would change",
            f"ALTER TABLE {contract.publish} RENAME TO {contract.publish.split('.')[1]}_old; then load all days again: "
            f"kagemusha backfill --table {contract.table} --from …",
        )
