"""What the source database says about a table: its columns, their types, its size, and what it is at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.errors import NOT_PUBLISHED, SourceChanged


@dataclass(frozen=True)
class SourceColumn:
    """One column of the source's catalogue.

    Attributes:
        type: a `pg_type.typname`, or `enum`; domains show their base type.
        length: the most characters that a text may have, where the type limits them.
        comment: the database's own description.
        caseless: whether values that differ in case only are equal there.
        blanks: whether values that differ in blanks at their end only are equal there.
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
    blanks: bool = False


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


@dataclass(frozen=True)
class Definition:
    """What a relation is at this moment, to whoever reads it.

    Attributes:
        table: `schema.table`.
        identity: names the relation within its server; another one of the same name has another identity.
        digest: of kind, columns, types and files, of the relation and of all that it reads.
        catalogue: of what the catalogue's rows say about the same, which a snapshot may see as they were.
        server: names the server, whatever host or instance answers for it; empty where it does not say.
        foreign: the relations that it reads on other servers, as `schema.table`.
    """

    table: str
    identity: str
    digest: str
    catalogue: str = ""
    server: str = ""
    foreign: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Names the relation among those of all servers; a watermark of one says nothing about another."""
        return f"{self.server} {self.identity}"

    def refuse_other(self, present: Definition | None) -> None:
        """Refuses a relation that is no longer the one that was planned.

        Raises:
            SourceChanged: it is gone, another one has its name, or it was altered, truncated or rewritten.
        """
        if present == self:
            return
        if present is None or present.identity != self.identity:
            raise source_changed(self.table, "Another relation has its name now, or none has")
        raise source_changed(self.table, "It was altered, truncated or rewritten")


def source_changed(table: str, how: str, where: Mapping[str, object] | None = None) -> SourceChanged:
    """Returns the error of a table that is not what the run planned.

    Args:
        table: `schema.table`.
        how: what became of it.
        where: the place of the endpoint.
    """
    return SourceChanged(
        f"{table} is not what the snapshot knows. {how} while the run was under way.",
        not_done=NOT_PUBLISHED,
        where={**(where or {}), "source": table},
    )
