"""Slices by ranges of a key, for views and other relations of PostgreSQL without pages: bounds are measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Final

from etl.source.catalogue import SourceTable
from etl.source.dialect import POSTGRES
from etl.source.guard import Ask
from etl.source.postgres.separators import KEY_KINDS, KeyKind
from etl.source.slice import Slice

MEASURED_ROWS: Final = 1_000_000
"""Above this many rows, a random sample of about this size is measured."""
_POINTS_PER_SLICE: Final = 16
"""Points that are measured for each slice, so that a key with many rows is noticed."""
_MOST_POINTS: Final = 8_000


def range_column(table: SourceTable, key: Sequence[str]) -> str | None:
    """Returns the column of the key by which a relation is cut, a whole number if there is one; None where none can."""
    types = {column.name: column.type for column in table.columns if column.readable}
    fit = [name for name in key if types.get(name) in KEY_KINDS]
    return min(fit, key=lambda name: not types[name].startswith("int"), default=None)


def key_slices(
    ask: Ask, table: SourceTable, key: Sequence[str], count: int, rows: int, condition: str = "TRUE"
) -> tuple[Slice, ...]:
    """Cuts the rows of a relation into ranges of a key with about equally many rows each.

    The first range has no lower end and holds the NULLs, the last one has no upper end, so that a row which is added
    later is in exactly one of them. A key that many rows share gets a range of its own.

    Args:
        ask: asks on a session in the snapshot that will be read.
        table: from the catalogue.
        key: columns that identify a row; see `range_column`.
        count: how many slices to aim at.
        rows: about how many rows meet the condition.
        condition: SQL; only rows that meet it are in any slice.
    """
    name = range_column(table, key)
    if name is None or count <= 1:
        return (Slice(0, condition),)
    kind = KEY_KINDS[next(column.type for column in table.columns if column.name == name)]
    expression = kind.expression.format(POSTGRES.column(name))
    source = POSTGRES.quoted(table.name)
    points = _measured(ask, source, expression, count, rows, condition)
    bounds = _bounds(points, count, kind)
    if len(bounds) > 1 and not _ascending(ask, bounds, expression):
        bounds = []  # the server sorts otherwise than by code points: one slice is better than wrong ones
    wheres = _ranges(expression, bounds)
    whole = condition == "TRUE"
    return tuple(Slice(n, one if whole else f"({condition}) AND {one}", by=name) for n, one in enumerate(wheres))


def _measured(ask: Ask, source: str, expression: str, count: int, rows: int, condition: str) -> list[str]:
    """Returns keys at equal distances in the order of keys, as texts."""
    points = min(_POINTS_PER_SLICE * count, _MOST_POINTS)
    shares = f"ARRAY(SELECT n::float8 / {points} FROM generate_series(1, {points}) n)"
    sampled = f" AND random() < {MEASURED_ROWS / rows:.9f}" if rows > MEASURED_ROWS else ""
    sql = (
        f"SELECT (percentile_disc({shares}) WITHIN GROUP (ORDER BY {expression}))::text[] "
        f"FROM {source} WHERE ({condition}) AND {expression} IS NOT NULL{sampled}"
    )
    found = ask(sql)
    return [str(point) for point in found[0]] if found and isinstance(found[0], list) else []


def _bounds(points: Sequence[str], count: int, kind: KeyKind) -> list[str]:
    """Returns the literals between ranges; a key that fills a slice has one before it and one after it."""
    runs = [(point, len(list(same))) for point, same in groupby(points)]
    most = max(1, -(-len(points) // count))
    bounds: list[str] = []
    gathered = runs[0][1] if runs else 0
    for (before, _), (point, weight) in pairwise(runs):
        literal = kind.between(before, point) if gathered + weight > most else None
        if literal is None:
            gathered += weight
        else:
            bounds.append(literal)
            gathered = weight
    return bounds


def _ascending(ask: Ask, bounds: Sequence[str], expression: str) -> bool:
    """Returns whether the bounds ascend in the server's own order of this key."""
    collation = ' COLLATE "C"' if expression.endswith('COLLATE "C"') else ""
    listed = ", ".join(f"{bound}{collation}" for bound in bounds)
    rising = f"SELECT bool_and(a < b) FROM (SELECT v AS a, lead(v) OVER (ORDER BY n) AS b FROM unnest(ARRAY[{listed}])"
    return ask(f"{rising} WITH ORDINALITY AS u (v, n)) AS pairs WHERE b IS NOT NULL") == (True,)


def _ranges(expression: str, bounds: Sequence[str]) -> list[str]:
    if not bounds:
        return ["TRUE"]
    middle = [f"({expression} >= {low} AND {expression} < {high})" for low, high in pairwise(bounds)]
    return [f"({expression} < {bounds[0]} OR {expression} IS NULL)", *middle, f"{expression} >= {bounds[-1]}"]
