"""What discovery knows of a source table before it proposes a contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from masking.policy import ColumnClass
from schemas.types import ColumnType


@dataclass(frozen=True)
class FoundColumn:
    """A source column as discovery sees it.

    Attributes:
        type: the contract type that holds it; None where the types table has none.
        enum: whether the database limits its values to a list.
        length: the most characters that a text may have.
        seen: what a sample's values are for the most part; None where no sample was looked at, or nothing was found.
        sure: whether nearly all of them are.
        note: counts of what a sample holds, for the comment.
        blanks: whether the database compares it without blanks at its end, as `char(n)` and most of MySQL's collations.
        caseless: whether the database compares it without case, as `citext` and MySQL's `_ci` collations.
        normalize: what brings spellings together that the database takes for equal, here or in a column that refers.
    """

    name: str
    type: ColumnType | None
    not_null: bool
    enum: bool = False
    length: int | None = None
    comment: str = ""
    seen: ColumnClass | None = None
    sure: bool = False
    note: str = ""
    blanks: bool = False
    caseless: bool = False
    normalize: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundTable:
    """A source table as discovery sees it.

    Attributes:
        source: `schema.table`.
        key: the columns of the primary key, or of a unique index.
        indexed: columns with which an index begins.
        references: column → referenced `schema.table` and its column.
        bytes: its size; 0 where nobody knows.
        note: what a reviewer must know of the table, for the comment.
    """

    source: str
    columns: tuple[FoundColumn, ...]
    key: tuple[str, ...]
    indexed: frozenset[str] = frozenset()
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    bytes: int = 0
    comment: str = ""
    note: str = ""
