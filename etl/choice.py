"""Chooses the tables of a command by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from etl.errors import NO_ROW_READ, SettingsInvalid
from schemas.contract import Contract


def choose(contracts: Mapping[str, Contract], tables: Sequence[str]) -> dict[str, Contract]:
    """Gives the contracts of the named tables, or all.

    Raises:
        SettingsInvalid: a name is no contract's table.
    """
    unknown = [name for name in tables if name not in contracts]
    if unknown:
        near = get_close_matches(unknown[0], contracts, n=1)
        raise SettingsInvalid(
            f"There is no contract for {', '.join(repr(name) for name in unknown)}.",
            not_done=NO_ROW_READ,
            advice=f"Did you mean {near[0]}?" if near else f"Tables: {', '.join(contracts)}.",
        )
    return {name: contract for name, contract in contracts.items() if not tables or name in tables}
