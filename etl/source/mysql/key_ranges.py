"""Slices by ranges of a key, for tables of MySQL: about equally many rows in each, however the keys are spread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from etl.source.dialect import MYSQL
from etl.source.slice import Slice


def measured_bounds(low: int, high: int, rows: Callable[[int, int], int], most: int) -> list[int]:
    """Returns the inner bounds that cut the keys `low` to `high` into ranges of about `most` rows at most.

    Ranges with more rows are halved, and neighbors that are nearly empty are joined again, so that gaps and clusters of
    keys cost a few more queries and make no uneven slices.

    Args:
        low: the smallest key.
        high: the largest key.
        rows: returns about how many rows have a key from its first argument to before its second.
        most: rows in a range.
    """
    bounds: list[int] = []
    gathered = 0
    for first, held in _halves(low, high + 1, rows, most):
        if first != low and gathered + held > most:
            bounds.append(first)
            gathered = 0
        gathered += held
    return bounds


def _halves(low: int, end: int, rows: Callable[[int, int], int], most: int) -> Iterator[tuple[int, int]]:
    held = rows(low, end)
    if held <= most or end - low <= 1:
        yield low, held
        return
    middle = (low + end) // 2
    yield from _halves(low, middle, rows, most)
    yield from _halves(middle, end, rows, most)


def key_slices(column: str, bounds: Sequence[object]) -> tuple[Slice, ...]:
    """Cuts a table at the bounds of a key that is never NULL; the first slice has no lower end, the last no upper.

    Args:
        column: of the key.
        bounds: inner bounds, ascending in the column's own order.
    """
    name = MYSQL.column(column)
    if not bounds:
        return (Slice(0, "TRUE"),)
    ends = [literal(bound) for bound in bounds]
    middle = [f"{name} >= {first} AND {name} < {end}" for first, end in pairwise(ends)]
    wheres = [f"{name} < {ends[0]}", *middle, f"{name} >= {ends[-1]}"]
    return tuple(Slice(number, where, by=column) for number, where in enumerate(wheres))


def literal(bound: object) -> str:
    """Returns a key's literal; a text is written in hexadecimal, so that no quote or character set can change it.

    Raises:
        TypeError: no literal is known for the key's type.
    """
    if isinstance(bound, bool):
        raise TypeError("bool")
    if isinstance(bound, int | Decimal):
        return str(bound)
    if isinstance(bound, str):
        return f"_utf8mb4 X'{bound.encode().hex()}'"
    if isinstance(bound, bytes):
        return f"X'{bound.hex()}'"
    if isinstance(bound, datetime):
        return f"TIMESTAMP '{bound:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(bound, date):
        return MYSQL.on(bound)
    raise TypeError(type(bound).__name__)
