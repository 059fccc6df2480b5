"""Asks BigQuery for a view's groups and draws them; groups of too few persons are counted, and never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from google.cloud import bigquery

from etl.cloud.bigquery import RETRY, TIMEOUT_SECONDS, Warehouse, quoted, translated
from etl.site.charts.bars import bars, heat
from etl.site.charts.columns import columns, lines
from etl.site.charts.drawing import Chart
from masking.errors import KagemushaError
from schemas.pictures import Picture
from schemas.words import Language

Missing = Literal["", "undeclared", "unpublished", "unread", "no_rows", "empty"]
_EMPTY: Final = Chart("", (), ())
_NO_NAME: Final = "–"
_MONTH: Final = re.compile(r"^(\d{4}-\d{2})-01$")


@dataclass(frozen=True)
class Groups:
    """What a view holds, by group.

    Attributes:
        values: (x, series) → sum, or rate; the order is the picture's.
        small: how many groups are of too few persons.
        missing: why there is nothing, or empty.
    """

    values: Mapping[tuple[str, str], float]
    small: int = 0
    missing: Missing = ""


def groups_of(warehouse: Warehouse, view: str, picture: Picture | None, least: int, most_bytes: int) -> Groups:
    """Returns the groups of a view's picture; what keeps it from being drawn is told and never raised.

    Args:
        warehouse: where the view is.
        view: dataset.name.
        picture: how it is drawn; None where nothing is declared.
        least: groups of fewer persons stay away.
        most_bytes: what the query may read.
    """
    if picture is None:
        return Groups({}, missing="undeclared")
    try:
        if warehouse.find_table(view) is None:
            return Groups({}, missing="unpublished")
        rows = _asked(warehouse, view, picture, most_bytes)
    except KagemushaError:
        return Groups({}, missing="unread")
    large = [row for row in rows if (row["people"] or 0) >= least]
    values = _values(picture, large)
    small = len(rows) - len(large)
    if len(picture.measures) > 1:  # what stands beside a count of persons may be a count of fewer
        shown = {key: value for key, value in values.items() if value >= least}
        values, small = shown, small + len(values) - len(shown)
    missing: Missing = "" if values else "empty" if rows else "no_rows"
    return Groups(values, small, missing)


def _asked(
    warehouse: Warehouse, view: str, picture: Picture, most_bytes: int
) -> list[Mapping[str, Any]]:  # Any: values
    config = bigquery.QueryJobConfig(maximum_bytes_billed=most_bytes)
    with translated("A view could not be read", "No picture was drawn."):
        found = warehouse.client.query_and_wait(
            picture_sql(warehouse.table_id(view), picture),
            job_config=config,
            api_timeout=TIMEOUT_SECONDS,
            retry=RETRY,
            job_retry=RETRY,
        )
        return [dict(row.items()) for row in found]


def picture_sql(view: str, picture: Picture) -> str:
    """Returns the query of a picture's groups: its columns, sums, and how many persons a group has at least."""
    groups = [name for name in (picture.x, picture.by) if name]
    many = f"{'SUM' if picture.people.adds else 'MAX'}({quoted(picture.people.column)}) AS people"
    sums = [f"SUM({quoted(name)}) AS {quoted(name)}" for name in picture.measures]
    over = [f"SUM({quoted(picture.over)}) AS parts"] if picture.over else []
    named = [f"CAST({quoted(name)} AS STRING) AS {alias}" for name, alias in zip(groups, ("x", "series"), strict=False)]
    by = f" GROUP BY {', '.join(quoted(name) for name in groups)}" if groups else ""
    ranked = picture.shape == "bars"
    rank = f"SUM({quoted(picture.measures[0])}){f' / NULLIF(SUM({quoted(picture.over)}), 0)' if picture.over else ''}"
    newest = f"{rank} DESC" if ranked else ", ".join(f"{quoted(name)} DESC" for name in groups)
    order = f" ORDER BY {newest}" if groups else ""
    return f"SELECT {', '.join([*named, *sums, *over, many])} FROM `{view}`{by}{order} LIMIT {picture.most}"


def _values(picture: Picture, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], float]:  # Any: BigQuery's
    found: dict[tuple[str, str], float] = {}
    for row in rows if picture.shape == "bars" else reversed(rows):
        for name in picture.measures:
            value, parts = row[name], row.get("parts", 1)
            if value is not None and parts:
                apart = _name(row["series"]) if picture.by else name
                found[_name(row.get("x")), apart] = float(Decimal(value) / Decimal(parts))
    series = sorted({key[1] for key in found}) if picture.by else list(picture.measures)
    xs = _across(dict.fromkeys(key[0] for key in found))
    return {(shown, name): found[x, name] for x, shown in xs.items() for name in series if (x, name) in found}


def _name(value: object) -> str:
    return _NO_NAME if value is None else str(value)


def _across(names: Iterable[str]) -> dict[str, str]:
    """Returns how names are written: first days of months, where there are only such, as their months."""
    listed = list(names)
    months = all(_MONTH.match(name) for name in listed)
    return {name: _MONTH.sub(r"\1", name) if months else name for name in listed}


def drawn(picture: Picture, groups: Groups, language: Language) -> Chart:
    """Returns the picture of groups, titled in a language."""
    title, values = picture.title.in_language(language), groups.values
    if not values:
        return _EMPTY
    if picture.shape == "heat":
        return heat(title, picture.x or "", values, percent=picture.percent)
    if picture.shape == "funnel":
        return bars(title, ("", "rows"), {series: value for (_, series), value in values.items()}, funnel=True)
    if picture.shape == "bars":
        head = (picture.x or "", " / ".join(one for one in (picture.measures[0], picture.over) if one))
        return bars(title, head, {x: value for (x, _), value in values.items()}, percent=picture.percent)
    if picture.shape == "lines":
        return lines(title, picture.x or "", values, percent=picture.percent)
    return columns(title, picture.x or "", values, stacked=picture.stacked, percent=picture.percent)
