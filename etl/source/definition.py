"""What a relation is while a run reads it: proven at the plan, in each slice, and when its totals are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from etl.errors import NOT_PUBLISHED, SourceChanged


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
