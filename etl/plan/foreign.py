"""Foreign tables: rows of another server are of no snapshot, and nobody has proven that server to be a reader."""

from __future__ import annotations

from etl.errors import NO_ROW_READ, PlanRejected
from etl.source import Definition
from schemas.contract import Contract


class SourceForeign(PlanRejected):
    """A table reads rows of another server, and its contract does not say so."""


def refuse_foreign(contract: Contract, definition: Definition | None) -> Definition | None:
    """Returns what the source's relation is, where all that it reads is on the proven reader or named in the contract.

    Raises:
        SourceForeign: it reads a foreign table that the contract does not name.
    """
    unnamed = [name for name in (definition.foreign if definition else ()) if name not in contract.foreign]
    if not unnamed:
        return definition
    raise SourceForeign(
        f"{contract.source} reads {len(unnamed)} tables of other servers: {', '.join(unnamed)}.",
        not_done=NO_ROW_READ,
        advice="Read them from a table of the reader's own; or, where they may be outside the snapshot and load their "
        f"server, write `foreign: [{', '.join(unnamed)}]` in the contract.",
        where={"table": contract.table, "file": f"schemas/{contract.table}.yaml"},
    )
