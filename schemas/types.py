"""The types table: contract ↔ PostgreSQL ↔ Arrow ↔ BigQuery, in one place.

Money is never a float; an instant is UTC; JSON travels as the text of `jsonb`, because BigQuery does not load JSON
columns from Parquet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from schemas.errors import TypeUnsupported

BIGQUERY_NUMERIC_SCALE: Final = 9
"""NUMERIC holds at most 9 digits after the point and 29 before it; beyond that BIGNUMERIC (BigQuery, data types)."""
BIGQUERY_NUMERIC_WHOLE: Final = 29
ARROW_DECIMAL_PRECISION: Final = 38

_NUMERIC = re.compile(r"numeric\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")


@dataclass(frozen=True)
class _Row:
    arrow: pa.DataType
    bigquery: str
    postgres: frozenset[str]
    select: str  # how PostgreSQL hands the column over without loss; {} is the quoted column


_TABLE: Final[Mapping[str, _Row]] = {
    "string": _Row(
        pa.string(),
        "STRING",
        frozenset({"text", "varchar", "bpchar", "uuid", "inet", "cidr", "macaddr", "citext", "name", "enum"}),
        "{}::text",
    ),
    "int64": _Row(pa.int64(), "INT64", frozenset({"int2", "int4", "int8"}), "{}::int8"),
    "float64": _Row(pa.float64(), "FLOAT64", frozenset({"float4", "float8"}), "{}::float8"),
    "bool": _Row(pa.bool_(), "BOOL", frozenset({"bool"}), "{}"),
    "date": _Row(pa.date32(), "DATE", frozenset({"date"}), "{}"),
    "timestamp": _Row(pa.timestamp("us", "UTC"), "TIMESTAMP", frozenset({"timestamptz"}), "{}"),
    "datetime": _Row(pa.timestamp("us"), "DATETIME", frozenset({"timestamp"}), "{}"),
    "bytes": _Row(pa.binary(), "BYTES", frozenset({"bytea"}), "{}"),
    "json": _Row(pa.string(), "STRING", frozenset({"json", "jsonb"}), "{}::jsonb::text"),
}
_NUMERIC_POSTGRES: Final = frozenset({"numeric"})


@dataclass(frozen=True)
class ColumnType:
    """A contract type: a name of the table above, or `numeric(p,s)`."""

    name: str
    precision: int = 0
    scale: int = 0

    @classmethod
    def parse(cls, text: str) -> ColumnType:
        """Reads the contract's spelling of a type.

        Raises:
            TypeUnsupported: the spelling is not in the types table.
        """
        if text in _TABLE:
            return cls(text)
        found = _NUMERIC.fullmatch(text)
        if found:
            precision, scale = int(found[1]), int(found[2])
            if 1 <= precision <= ARROW_DECIMAL_PRECISION and scale <= precision:
                return cls("numeric", precision, scale)
        raise TypeUnsupported(
            "A column type is not in the types table.",
            not_done="The contract was not read.",
            advice=f"Use one of {', '.join(sorted(_TABLE))} or numeric(precision 1–{ARROW_DECIMAL_PRECISION}, scale).",
        )

    def __str__(self) -> str:
        return f"numeric({self.precision},{self.scale})" if self.name == "numeric" else self.name

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type in which a raw value stands in the worker's memory."""
        return pa.decimal128(self.precision, self.scale) if self.name == "numeric" else _TABLE[self.name].arrow

    @property
    def postgres(self) -> frozenset[str]:
        """The PostgreSQL type names (`pg_type.typname`; `enum` for every enum) that this type holds exactly."""
        return _NUMERIC_POSTGRES if self.name == "numeric" else _TABLE[self.name].postgres

    def select(self, quoted: str) -> str:
        """The SQL expression that hands the column over without loss."""
        return quoted if self.name == "numeric" else _TABLE[self.name].select.format(quoted)


def bigquery_type(arrow: pa.DataType) -> str:
    """The BigQuery type that holds every value of an Arrow type exactly.

    Raises:
        TypeUnsupported: no BigQuery type does.
    """
    if pa.types.is_decimal(arrow):
        whole = arrow.precision - arrow.scale
        fits = arrow.scale <= BIGQUERY_NUMERIC_SCALE and whole <= BIGQUERY_NUMERIC_WHOLE
        return "NUMERIC" if fits else "BIGNUMERIC"
    for row in _TABLE.values():
        if row.arrow == arrow:
            return row.bigquery
    raise TypeUnsupported(
        f"No BigQuery type holds Arrow's {arrow} exactly.",
        not_done="The table was not planned.",
    )


def suggest(postgres: str, precision: int | None = None, scale: int | None = None) -> str | None:
    """The contract type that fits a PostgreSQL type, or None where the types table has none.

    Args:
        postgres: `pg_type.typname`, `enum` for enums.
        precision: of a numeric, None where the column declares none.
        scale: of a numeric.
    """
    if postgres == "numeric":
        return f"numeric({precision or ARROW_DECIMAL_PRECISION},{9 if scale is None else scale})"
    return next((name for name, row in _TABLE.items() if postgres in row.postgres), None)
