"""What the source database says about a table: its columns, their types, its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SourceColumn:
    """One column of the source's catalogue.

    Attributes:
        type: a `pg_type.typname`, or `enum`; domains show their base type.
        length: the most characters that a text may have, where the type limits them.
        comment: the database's own description.
        caseless: whether values that differ in case only are equal there.
    """

    name: str
    type: str
    precision: int | None
    scale: int | None
    not_null: bool
    readable: bool
    length: int | None = None
    comment: str = ""
    caseless: bool = False


@dataclass(frozen=True)
class SourceTable:
    """One relation of the source's catalogue.

    Attributes:
        kind: `pg_class.relkind`: r table, p partitioned, v view, m materialized view …
        pages: heap pages; of a partitioned table, those of its largest leaf; 0 for views.
        bytes: heap bytes, of all leaves together.
        leaves: heap pages of each leaf of a partitioned table; of a plain table, its own; empty where a part has none.
        usable: whether the ETL user may look into the schema.
        unique: the column lists of unique indexes, that of the primary key first.
        indexed: the first columns of indexes.
        references: column → referenced `schema.table` and its column.
        comment: the database's own description.
        heirs: tables that inherit from it (`INHERITS`), whose rows are read with its own.
        paged: whether the ETL user may ask for pages (`ctid`), for which grants on columns are not enough.
    """

    name: str
    kind: str
    pages: int
    bytes: int
    columns: tuple[SourceColumn, ...]
    leaves: tuple[int, ...] = ()
    usable: bool = True
    unique: tuple[tuple[str, ...], ...] = ()
    indexed: frozenset[str] = frozenset()
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    comment: str = ""
    heirs: tuple[str, ...] = ()
    paged: bool = True
