"""All keys of a merge table, read and proven like rows: a published key not among them was deleted."""

from __future__ import annotations

from schemas.contract import Contract
from schemas.loads import FullLoad


def keys_contract(contract: Contract) -> Contract:
    """Returns the contract of a table's keys alone: the columns that make them, masked as they are in its rows."""
    derived = {name: one for name, one in contract.derive.items() if name in contract.key}
    needed = {*contract.key, *(one.source for one in derived.values())}
    masks = {name: column.mask for name, column in contract.selected.items() if name in needed}
    needed |= {str(entity) for mask in masks.values() if (entity := getattr(mask, "entity", None))}

    def published(name: str) -> str:
        return contract.columns[name].publish_as or name

    return contract.model_copy(
        update={
            "table": f"{contract.table}__keys",
            "load": FullLoad(mode="full"),
            "cluster_by": (),
            "reconcile": (),
            "joins": {},
            "require_partition_filter": False,
            "retention_days": None,
            "columns": {name: column for name, column in contract.columns.items() if published(name) in needed},
            "derive": derived,
        }
    )
