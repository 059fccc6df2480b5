"""What each mask does to a value, as a sentence for people who do not read contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from etl.reports.facts.said import Said, said
from masking.strategies import Bucket, Fpe, IpPrefix, JsonFields, Partial, Strategy, TruncatePan

_PARTS: Final = ("keep_first", "keep_last")
_WITHOUT: Final = frozenset({"strategy", "on_invalid", "quarantine_budget", "known", "fields", "edges", "normalize"})


def mask_said(mask: Strategy) -> Said:
    """Returns what a mask does, with the parameters that a reader needs."""
    return Said(f"mask.{mask.strategy}{_variant(mask)}", _values(mask))


def _variant(mask: Strategy) -> str:
    """Returns what tells forms of one strategy apart, where they need other words."""
    if isinstance(mask, Fpe):
        return f"_{'pan' if mask.format == 'pan' else 'other'}"
    if isinstance(mask, TruncatePan | Partial):
        shown = [name for name in _PARTS if getattr(mask, name)]
        return "_both" if len(shown) == len(_PARTS) else f"_{shown[0].removeprefix('keep_')}" if shown else "_none"
    to = getattr(mask, "to", "")
    return f"_{to}" if mask.strategy == "generalize_date" else ""


def _values(mask: Strategy) -> Mapping[str, object]:
    values = {name: str(one) for name, one in mask.model_dump(exclude=set(_WITHOUT)).items()}
    if isinstance(mask, Bucket):
        values["ranges"] = str(len(mask.edges) + 1)
    if isinstance(mask, JsonFields):
        values["named"] = ", ".join(mask.fields)
    if isinstance(mask, IpPrefix):
        values |= {"v4": str(mask.v4), "v6": str(mask.v6)}
    return values


def derived_said(source: str) -> Said:
    """Returns what a derived business date is."""
    return said("mask.derived", source=source)


def added_said(name: str) -> Said:
    """Returns what a column is that a load mode adds."""
    return said("mask.added", name=name)
