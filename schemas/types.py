"""The types table: contract ↔ PostgreSQL, MySQL ↔ Arrow ↔ BigQuery, in one place.

Money is never a float; an instant is UTC; JSON travels as text, in the spelling of `jsonb`, because BigQuery does not
load JSON columns from Parquet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import pyarrow as pa

from schemas.errors import TypeUnsupported

BIGQUERY_NUMERIC_SCALE: Final = 9
"""NUMERIC holds at most 9 digits after the point and 29 before it; beyond that BIGNUMERIC (BigQuery, data types)."""
BIGQUERY_NUMERIC_WHOLE: Final = 29
ARROW_DECIMAL_PRECISION: Final = 38

EngineName = Literal["postgres", "mysql"]

_ZONE_HOURS: Final[Mapping[str, int]] = {"Asia/Tokyo": 9, "UTC": 0}
"""Zones without daylight saving time, in which the time of a clock is one instant (Japan has kept UTC+9 since 1952)."""
_ZONED = re.compile(r"timestamp\((Asia/Tokyo|UTC)\)")
_NUMERIC = re.compile(r"numeric\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")


@dataclass(frozen=True)
class _Row:
    arrow: pa.DataType
    bigquery: str
    postgres: frozenset[str]  # pg_type.typname; `enum` for every enum
    mysql: frozenset[str]  # data_type of information_schema, with the few attributes that change what it holds
    select: str  # how PostgreSQL hands the column over without loss; {} is the quoted column
    select_mysql: str  # the same MySQL, as one of the few types that a driver cannot get wrong


_POSTGRES_TEXTS: Final = frozenset(
    {"text", "varchar", "bpchar", "uuid", "inet", "cidr", "macaddr", "macaddr8", "citext", "name", "enum"}
    | {"time", "timetz", "interval", "bit", "varbit"}  # no column type of ours; their text says all of them
)
_INTEGERS: Final = frozenset({"tinyint(1)", "tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_UNSIGNED: Final = frozenset({"tinyint unsigned", "smallint unsigned", "mediumint unsigned", "int unsigned"})
_TEXTS: Final = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
_BLOBS: Final = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_MYSQL_TEXT: Final = "CONVERT({} USING utf8mb4)"
"""CAST AS CHAR would make NULL of what is longer than `max_allowed_packet`, and take the session's letters."""
_TABLE: Final[Mapping[str, _Row]] = {
    "string": _Row(
        pa.string(),
        "STRING",
        _POSTGRES_TEXTS,
        _TEXTS | {"uuid", "inet4", "inet6"},
        "{}::text",
        _MYSQL_TEXT,
    ),
    "int64": _Row(
        pa.int64(),
        "INT64",
        frozenset({"int2", "int4", "int8"}),
        _INTEGERS | _UNSIGNED,
        "{}::int8",
        "CAST({} AS SIGNED)",
    ),
    "float64": _Row(
        pa.float64(),
        "FLOAT64",
        frozenset({"float4", "float8"}),
        frozenset({"float", "double"}),
        "{}::float8",
        "CAST({} AS DOUBLE)",
    ),
    "bool": _Row(
        pa.bool_(), "BOOL", frozenset({"bool"}), frozenset({"tinyint(1)", "bit(1)"}), "{}", "CAST({} AS SIGNED)"
    ),
    "date": _Row(pa.date32(), "DATE", frozenset({"date"}), frozenset({"date"}), "{}", _MYSQL_TEXT),
    "timestamp": _Row(
        pa.timestamp("us", "UTC"),
        "TIMESTAMP",
        frozenset({"timestamptz"}),
        frozenset({"timestamp"}),
        "{}",
        _MYSQL_TEXT,
    ),
    "datetime": _Row(
        pa.timestamp("us"), "DATETIME", frozenset({"timestamp"}), frozenset({"datetime"}), "{}", _MYSQL_TEXT
    ),
    "bytes": _Row(pa.binary(), "BYTES", frozenset({"bytea"}), _BLOBS, "{}", "{}"),
    "json": _Row(
        pa.string(),
        "STRING",
        frozenset({"json", "jsonb"}),
        frozenset({"json"}),
        "{}::text",
        _MYSQL_TEXT,
    ),
}
_NUMERIC_HELD: Final[Mapping[EngineName, frozenset[str]]] = {
    "postgres": frozenset({"numeric"}),
    "mysql": frozenset({"decimal", "bigint unsigned"}),
}
_NUMERIC_SELECT: Final[Mapping[EngineName, str]] = {"postgres": "{}::text", "mysql": _MYSQL_TEXT}
"""As text, which is exact and which ADBC takes over five times as fast as it spells NUMERIC itself."""


@dataclass(frozen=True)
class ColumnType:
    """A contract type: a name of the table above, `numeric(p,s)`, or `timestamp(zone)`.

    `timestamp(Asia/Tokyo)` is an instant that the source keeps as the time of a clock in that zone, without saying so.
    """

    name: str
    precision: int = 0
    scale: int = 0
    zone: str = ""

    @classmethod
    def parse(cls, text: str) -> ColumnType:
        """Reads the contract's spelling of a type.

        Raises:
            TypeUnsupported: the spelling is not in the types table.
        """
        if text in _TABLE:
            return cls(text)
        zoned = _ZONED.fullmatch(text)
        if zoned:
            return cls("timestamp", zone=zoned[1])
        found = _NUMERIC.fullmatch(text)
        if found:
            precision, scale = int(found[1]), int(found[2])
            if 1 <= precision <= ARROW_DECIMAL_PRECISION and scale <= precision:
                return cls("numeric", precision, scale)
        raise TypeUnsupported(
            "A column type is not in the types table.",
            not_done="The contract was not read.",
            advice=f"Use one of {', '.join(sorted(_TABLE))}, numeric(precision 1–{ARROW_DECIMAL_PRECISION}, scale) or "
            f"timestamp({'), timestamp('.join(_ZONE_HOURS)}).",
        )

    def __str__(self) -> str:
        if self.zone:
            return f"timestamp({self.zone})"
        return f"numeric({self.precision},{self.scale})" if self.name == "numeric" else self.name

    @property
    def clock(self) -> timedelta | None:
        """How far the source's clock is ahead of UTC; None where the source itself keeps instants."""
        return timedelta(hours=_ZONE_HOURS[self.zone]) if self.zone else None

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type in which a raw value stands in the worker's memory."""
        return pa.decimal128(self.precision, self.scale) if self.name == "numeric" else _TABLE[self.name].arrow

    def held(self, engine: EngineName) -> frozenset[str]:
        """The engine's type names, as its catalogue module spells them, that this type holds exactly."""
        if self.name == "numeric":
            return _NUMERIC_HELD[engine]
        if self.zone:
            return ColumnType("datetime").held(engine)
        return _TABLE[self.name].postgres if engine == "postgres" else _TABLE[self.name].mysql

    def select(self, quoted: str, engine: EngineName = "postgres") -> str:
        """The SQL expression that hands the column over without loss."""
        if self.name == "numeric":
            return _NUMERIC_SELECT[engine].format(quoted)
        row = _TABLE["datetime" if self.zone else self.name]
        return (row.select if engine == "postgres" else row.select_mysql).format(quoted)


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


def suggest(
    source: str, precision: int | None = None, scale: int | None = None, engine: EngineName = "postgres"
) -> str | None:
    """The contract type that fits a source type, or None where the types table has none.

    Args:
        source: the engine's type name, as its catalogue module spells it.
        precision: of a numeric, None where the column declares none.
        scale: of a numeric.
        engine: whose type it is.
    """
    if source in _NUMERIC_HELD[engine]:
        if precision is not None and (precision > ARROW_DECIMAL_PRECISION or not 0 <= (scale or 0) <= precision):
            return None
        return f"numeric({precision or ARROW_DECIMAL_PRECISION},{9 if scale is None else scale})"
    narrowest_first = sorted(_TABLE, key=lambda name: name == "int64")  # a tinyint(1) is a bool, and could be an int64
    return next((name for name in narrowest_first if source in ColumnType(name).held(engine)), None)


def why_not(source: str, engine: EngineName) -> str:
    """Tells why no contract type holds a source type exactly, and what to do instead.

    Args:
        source: the engine's type name, as its catalogue module spells it.
        engine: whose type it is.
    """
    if engine == "postgres" and source.startswith("_"):
        source = "array"
    return _WHY_NOT.get((engine, source), "no type of ours holds it exactly; a view can cast it to text")


_WHY_NOT: Final[Mapping[tuple[EngineName, str], str]] = {
    ("postgres", "array"): "a column holds one value; a view can publish elements as rows, or to_jsonb() of them",
    ("postgres", "money"): "its text depends on the server's locale; a view can cast it to numeric",
    ("postgres", "numeric"): "it has more than 38 digits, or more digits after the point than at all",
    ("mysql", "decimal"): "it may have more than 38 digits, which neither Arrow nor BigQuery adds up exactly",
    ("mysql", "time"): "it is a span of up to 838 hours, not a time of day; a view can publish time_to_sec()",
    ("mysql", "bit"): "it is a string of bits; a view can publish a whole number, column + 0",
    **{
        ("mysql", shape): "a shape has no column type; a view can publish st_asgeojson()"
        for shape in ("geometry", "point", "linestring", "polygon", "multipoint", "multipolygon", "geometrycollection")
    },
}
