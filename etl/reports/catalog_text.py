"""The catalog on a terminal: all tables in a list, or one table or view in full."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table

from etl.errors import SettingsInvalid
from etl.reports.facts.catalog import Catalog, ColumnFacts, TableFacts
from etl.reports.facts.views import ViewFacts
from etl.reports.words.wording import Wording

_WIDTH_WITHOUT_TERMINAL: Final = 160
_MIB: Final = 2**20


def one_entry(found: Catalog, name: str) -> TableFacts | ViewFacts:
    """Returns a table or view of the catalog.

    Raises:
        SettingsInvalid: there is none of that name.
    """
    entry = found.tables.get(name) or found.views.get(name)
    if entry is None:
        near = get_close_matches(name, [*found.tables, *found.views], n=1)
        raise SettingsInvalid(
            f"There is no table or view {name!r}.",
            not_done="Nothing was shown.",
            advice=f"Did you mean {near[0]}?" if near else "`kagemusha catalog` lists them.",
        )
    return entry


def write_catalog(found: Catalog | TableFacts | ViewFacts, say: Wording, out: TextIO) -> None:
    """Writes a catalog, a table or a view."""
    console = Console(
        file=out, width=None if out.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False, markup=False, emoji=False
    )
    if isinstance(found, Catalog):
        _write_all(found, say, console)
    elif isinstance(found, TableFacts):
        _write_table(found, say, console)
    else:
        _write_view(found, say, console)


def _write_all(found: Catalog, say: Wording, console: Console) -> None:
    drawn = Table(*(say.text(f"catalog.{key}") for key in ("table", "through")))
    for key in ("rows", "size"):
        drawn.add_column(say.text(f"catalog.{key}"), justify="right")
    drawn.add_column(say.text("catalog.means"), overflow="fold")
    for table in found.tables.values():
        through, rows, size = _standing(table, say)
        drawn.add_row(table.publish, through, rows, size, say.of(table.about))
    for view in found.views.values():
        drawn.add_row(view.publish, say.text("catalog.view"), "", "", say.of(view.about))
    console.print(drawn)


def _standing(table: TableFacts, say: Wording) -> tuple[str, str, str]:
    status = table.status
    through = str(status.through) if status and status.through else say.text("site.never")
    rows = f"{status.rows:,}" if status and status.rows is not None else ""
    size = f"{table.bytes / _MIB:,.1f} MiB" if table.bytes is not None else "–"
    return through, rows, size


def _write_table(table: TableFacts, say: Wording, console: Console) -> None:
    text = say.text
    through, rows, size = _standing(table, say)
    facts = {
        "source": table.source,
        "owner": table.owner or text("catalog.nobody"),
        "mode": text(f"catalog.mode_{table.mode}"),
        "key": ", ".join(table.key) or text("site.none"),
        "partition": table.partition_by or text("catalog.no_partition"),
        "through": through,
        "rows": rows,
        "size": size,
        "scan": "–" if table.scan_usd is None else text("catalog.cost", usd=f"{table.scan_usd:.6f}"),
    }
    console.print(f"{table.publish}\n{say.of(table.about)}\n", markup=False, soft_wrap=True)
    for key, value in facts.items():
        console.print(f"  {text(f'catalog.{key}')}: {value}", markup=False, soft_wrap=True)
    drawn = Table(*(text(f"catalog.{key}") for key in ("column", "type", "what")))
    for key in ("happened", "example", "means"):
        drawn.add_column(text(f"catalog.{key}"), overflow="fold")
    for one in table.columns:
        drawn.add_row(*_column(one, say), style="dim" if one.fate == "dropped" else None)
    console.print(drawn)
    for join in (*table.joins, *table.joined_by):
        line = f"{join.table}.{join.column} = {join.other}.{join.key}"
        console.print(f"  {text('catalog.joins')}: {line}", markup=False, soft_wrap=True)
    console.print(f"\n{text('catalog.query')}\n{table.query}", markup=False, soft_wrap=True)


def _column(one: ColumnFacts, say: Wording) -> tuple[str, ...]:
    kind = say.text(f"class.{one.column_class}") if one.column_class != "none" else ""
    example = f"{one.before} → {one.after}" if one.after else ""
    return one.name, one.type, kind, say.say(one.how), example, say.of(one.about)


def _write_view(view: ViewFacts, say: Wording, console: Console) -> None:
    text = say.text
    console.print(f"{view.publish}\n{say.of(view.about)}\n", markup=False, soft_wrap=True)
    facts = {"reads": ", ".join(view.tables), "grain": ", ".join(view.grain) or "–", "date": view.date or "–"}
    for key, value in facts.items():
        console.print(f"  {text(f'catalog.{key}')}: {value}", markup=False, soft_wrap=True)
    drawn = Table(*(text(f"catalog.{key}") for key in ("column", "type", "means")))
    for name, kind, about in view.columns:
        drawn.add_row(name, kind, say.of(about))
    console.print(drawn)
    console.print(f"\n{text('catalog.query')}\n{view.query}", markup=False, soft_wrap=True)
    if view.columns and say.language in view.links:
        found = view.links[say.language]
        lines = [f"  {text(f'open.{key}')}: {getattr(found, key)}" for key in ("report", "console", "sheet")]
        steps = text("open.sheet_note", steps=found.sheet_steps)
        console.print("\n".join(["", text("open.title"), *lines, f"  {steps}"]), markup=False, soft_wrap=True)
