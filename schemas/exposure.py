"""Compares two versions of the contracts: which columns show more of their values than before, and which show less."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from masking.strategies import (
    Bucket,
    EmailDomain,
    Fpe,
    GeneralizeDate,
    IpPrefix,
    JsonFields,
    Partial,
    Round,
    ShiftDate,
    Strategy,
    TruncatePan,
)
from schemas.columns import Column
from schemas.contract import Contract


class Effect(StrEnum):
    """What a change does to what can be seen of a column."""

    VISIBLE = "newly visible"
    WEAKER = "masked more weakly"
    ANOTHER_PART = "shows another part"
    GATE_OPENED = "leak gate lets more pass"
    ELSEWHERE = "published elsewhere"
    OTHERWISE = "masked otherwise"
    RECLASSED = "declared otherwise"
    STRONGER = "masked more strongly"
    GATE_CLOSED = "leak gate lets less pass"
    GONE = "no longer visible"

    @property
    def exposes(self) -> bool:
        """Whether somebody may see what nobody saw before."""
        return self in _EXPOSING


_EXPOSING: Final = frozenset(
    {
        Effect.VISIBLE,
        Effect.WEAKER,
        Effect.ANOTHER_PART,
        Effect.GATE_OPENED,
        Effect.ELSEWHERE,
    }
)


@dataclass(frozen=True)
class Change:
    """One difference; `column` is empty where it is the table's, and names a field of a document after a dot."""

    table: str
    column: str
    verdict: Effect
    before: str
    after: str


_NOTHING, _PRESENCE, _ONE_WAY, _WITH_KEY, _PART, _TEXT, _ALL = range(7)
_SHOWS: Final = {
    "drop": _NOTHING,
    "null": _NOTHING,
    "redact": _PRESENCE,
    "pseudonymize": _ONE_WAY,
    "tokenize": _WITH_KEY,
    "fpe": _WITH_KEY,
    "scrub_text": _TEXT,
    "keep": _ALL,
}
"""By strategy: how much of a value can be seen; whatever is not listed shows a part of it."""

_DATE_PARTS: Final = ("age_band", "year", "quarter", "month")
_REST: Final = "(other fields)"
_NO_MASK: Final = {"strategy", "why", "on_invalid", "quarantine_budget"}


def exposure(old: Mapping[str, Contract], new: Mapping[str, Contract]) -> tuple[Change, ...]:
    """Returns every difference in what can be seen, by table and column, in the order of the contracts.

    Args:
        old: contracts by table, as they are.
        new: as they shall be; a table or column that only one side has is compared with nothing.
    """
    changes: list[Change] = []
    for table in sorted({**old, **new}):
        before, after = old.get(table), new.get(table)
        if before and after and before.publish != after.publish:
            changes.append(Change(table, "", Effect.ELSEWHERE, before.publish, after.publish))
        if before and after:
            changes += _own_cards(before, after)
        had, has = (one.columns if one else {} for one in (before, after))
        for name in {**had, **has}:
            changes += _column_changes(table, name, had.get(name), has.get(name))
    return tuple(changes)


def _own_cards(old: Contract, new: Contract) -> Iterator[Change]:
    """Yields what the leak gate no longer knows, or newly knows, of the issuer's own cards."""
    had, has = set(old.own_iins), set(new.own_iins)
    if had != has:
        verdict = Effect.GATE_OPENED if had - has else Effect.GATE_CLOSED
        yield Change(old.table, "", verdict, *(_own_iins(known) for known in (had, has)))


def _own_iins(known: Collection[str]) -> str:
    return f"own_iins: [{', '.join(sorted(known))}]" if known else "no own_iins"


def _column_changes(table: str, name: str, old: Column | None, new: Column | None) -> Iterator[Change]:
    for path, before, after in _masks(old.mask if old else None, new.mask if new else None):
        verdict = _verdict(before, after)
        if verdict:
            column = f"{name}.{path}" if path else name
            yield Change(table, column, verdict, described(before, after), described(after, before))
    if not (old and new):
        return
    known_as = [column.publish_as or name for column in (old, new)]
    if known_as[0] != known_as[1] and not (old.dropped or new.dropped):
        # Grants and policy tags on a column are kept by its name: under another one it has none.
        yield Change(table, name, Effect.ELSEWHERE, *known_as)
    if old.column_class != new.column_class:
        yield Change(table, name, Effect.RECLASSED, f"class {old.column_class}", f"class {new.column_class}")
    if old.number != new.number:
        opened = Effect.GATE_OPENED if new.number else Effect.GATE_CLOSED
        yield Change(
            table, name, opened, *(f"format: {one.number}" if one.number else "no format" for one in (old, new))
        )
    had, has = set(old.may_look_like), set(new.may_look_like)
    if had != has:
        verdict = Effect.GATE_OPENED if has - had else Effect.GATE_CLOSED
        yield Change(table, name, verdict, *(", ".join(sorted(kinds)) or "nothing" for kinds in (had, has)))


def described(mask: Strategy | None, beside: Strategy | None = None) -> str:
    """Returns a mask in one line, with the parameters that were chosen or that differ from the other mask's."""
    if mask is None:
        return "not published"
    shown = mask.model_dump(exclude=_NO_MASK, exclude_defaults=True)
    if beside is not None and beside.strategy == mask.strategy:
        own, other = (one.model_dump(exclude=_NO_MASK) for one in (mask, beside))
        shown = {key: value for key, value in own.items() if key in shown or value != other[key]}
    text = ", ".join(f"{key}: {_plain(value)}" for key, value in shown.items() if key != "fields")
    return f"{mask.strategy}({text})" if text else mask.strategy


def _plain(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list | tuple) else str(value)


def _masks(old: Strategy | None, new: Strategy | None) -> Iterator[tuple[str, Strategy | None, Strategy | None]]:
    """Yields the two masks of a column, or of each field of a document that one side masks by field."""
    fields = [mask.fields for mask in (old, new) if isinstance(mask, JsonFields)]
    if not fields:
        yield "", old, new
        return
    for path in {path: None for one in fields for path in one}:
        yield path, _of_field(old, path), _of_field(new, path)
    if len(fields) == 1:
        yield _REST, _of_field(old, _REST), _of_field(new, _REST)


def _of_field(mask: Strategy | None, path: str) -> Strategy | None:
    """Returns what becomes of a field: its own mask, nothing where others have one, or the document's mask."""
    return mask.fields.get(path) if isinstance(mask, JsonFields) else mask


def _verdict(old: Strategy | None, new: Strategy | None) -> Effect | None:
    """Tells what the change of one mask does; None where nothing that can be seen differs."""
    before, after = _shows(old), _shows(new)
    if before != after:
        if after > before:
            return Effect.VISIBLE if before <= _PRESENCE < after else Effect.WEAKER
        return Effect.GONE if after == _NOTHING else Effect.STRONGER
    if old is None or new is None or before == _NOTHING:
        return None
    if old.strategy == new.strategy:
        return _of_parameters(old, new)
    return Effect.ANOTHER_PART if before == _PART else Effect.OTHERWISE


def _of_parameters(old: Strategy, new: Strategy) -> Effect | None:
    """Tells what other parameters of the same strategy do."""
    added, removed = _choices(new) - _choices(old), _choices(old) - _choices(new)
    if added and removed:
        return Effect.ANOTHER_PART
    pairs = list(zip(_amounts(old), _amounts(new), strict=True))
    if added or any(less < more for less, more in pairs):
        return Effect.WEAKER
    if removed or any(more > less for more, less in pairs):
        return Effect.STRONGER
    same = old.model_dump(exclude=_NO_MASK) == new.model_dump(exclude=_NO_MASK)
    return None if same else Effect.OTHERWISE


def _shows(mask: Strategy | None) -> int:
    if mask is None:
        return _NOTHING
    if isinstance(mask, Fpe) and (mask.keep_first or mask.keep_last):
        return _PART
    return _SHOWS.get(mask.strategy, _PART)


def _amounts(mask: Strategy) -> tuple[float, ...]:
    """Returns numbers that grow with what a strategy of this kind shows."""
    if isinstance(mask, TruncatePan | Partial | Fpe):
        return mask.keep_first, mask.keep_last
    if isinstance(mask, IpPrefix):
        return mask.v4, mask.v6
    if isinstance(mask, Round):
        return (-float(mask.to),)
    if isinstance(mask, ShiftDate):
        return (-mask.max_days,)
    if isinstance(mask, GeneralizeDate):
        return (_DATE_PARTS.index(mask.to),)
    return ()


def _choices(mask: Strategy) -> frozenset[object]:
    """Returns what a strategy was told to tell apart: one more choice shows more."""
    if isinstance(mask, Bucket):
        return frozenset(mask.edges)
    return frozenset(mask.known) if isinstance(mask, EmailDomain) else frozenset()
