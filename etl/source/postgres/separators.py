"""Separators between keys: the simplest value above one key and not above the next, so that a range reveals no key.

A bound of a slice travels to workers. The first letters that differ, a round number or the start of a month separates
two keys as well as a key would, and is hardly ever a key itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, DecimalException, localcontext
from typing import Final
from uuid import UUID

_INTEGER_BITS: Final = 64
_UUID_BITS: Final = 128
_DIGITS: Final = 38


@dataclass(frozen=True)
class KeyKind:
    """How keys of a source type are compared, and how a bound between two of them is spelled.

    Attributes:
        expression: the key as it is compared; {} is the quoted column.
        between: returns a separator's literal for two keys in PostgreSQL's text form, the smaller first; None where
            there is none.
    """

    expression: str
    between: Callable[[str, str], str | None]


def between_integers(low: str, high: str) -> str | None:
    """Returns the whole number between two keys that is a multiple of the largest power of two."""
    return str(_rounded(int(low), int(high), _INTEGER_BITS))


def between_decimals(low: str, high: str) -> str | None:
    """Returns the number between two keys with the fewest digits; None next to NaN or infinity."""
    with suppress(DecimalException), localcontext(prec=2 * _DIGITS):
        first, last = Decimal(low), Decimal(high)
        if first.is_finite() and last.is_finite():
            for power in range(_DIGITS, -_DIGITS, -1):
                step = Decimal(1).scaleb(power)
                found = last // step * step
                found -= step if found > last else 0
                if first < found <= last:
                    return f"{found:f}::numeric"
    return None


def between_uuids(low: str, high: str) -> str | None:
    """Returns the UUID between two keys with the most zeros at its end."""
    return f"'{UUID(int=_rounded(UUID(low).int, UUID(high).int, _UUID_BITS))}'::uuid"


def between_texts(low: str, high: str) -> str | None:
    """Returns the shortest beginning of the higher text that is above the lower one, by code points, as bytes."""
    same = next((n for n, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    return f"convert_from('\\x{high[: same + 1].encode().hex()}'::bytea, 'UTF8')"


def between_times(literal: str) -> Callable[[str, str], str | None]:
    """Returns a function that finds the coarsest start of a year, month, day, hour, minute or second between two times.

    Args:
        literal: of the type; {} is the time in UTC.
    """

    def between(low: str, high: str) -> str | None:
        first, last = _time(low), _time(high)
        if first is None or last is None:
            return None
        day = datetime(last.year, last.month, last.day)  # noqa: DTZ001  all times here are UTC without saying so
        coarse = (
            day.replace(month=1, day=1),
            day.replace(day=1),
            day,
            day.replace(hour=last.hour),
            last.replace(second=0, microsecond=0),
            last.replace(microsecond=0),
            last,
        )
        found = next((one for one in coarse if first < one <= last), None)
        return literal.format(found.isoformat(" ")) if found else None

    return between


def _time(text: str) -> datetime | None:
    """Returns a date or a time as PostgreSQL writes it; None where it is infinite or before the year 1."""
    with suppress(ValueError):
        return datetime.fromisoformat(text).replace(tzinfo=None)
    return None


def _rounded(low: int, high: int, bits: int) -> int:
    return next(found for shift in range(bits, -1, -1) if low < (found := high >> shift << shift) <= high)


_INTEGER: Final = KeyKind("{}", between_integers)
_TEXT: Final = KeyKind('{}::text COLLATE "C"', between_texts)
KEY_KINDS: Final[Mapping[str, KeyKind]] = {
    "int2": _INTEGER,
    "int4": _INTEGER,
    "int8": _INTEGER,
    "numeric": KeyKind("{}", between_decimals),
    "uuid": KeyKind("{}", between_uuids),
    "text": KeyKind('{} COLLATE "C"', between_texts),
    "varchar": KeyKind('{} COLLATE "C"', between_texts),
    "bpchar": _TEXT,
    "citext": _TEXT,
    "date": KeyKind("{}", between_times("DATE '{:.10}'")),
    "timestamp": KeyKind("{}", between_times("TIMESTAMP '{}'")),
    "timestamptz": KeyKind("{}", between_times("TIMESTAMPTZ '{}+00'")),
}
"""PostgreSQL types whose keys can be cut into ranges. Texts are compared by their bytes, whatever the collation."""
