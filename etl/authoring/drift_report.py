"""Shows the drift of all tables at once: on a terminal, line by line in logs, for programs, for `git apply`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from etl.plan import Drift
from schemas.patch import patched, unified_diff


class Form(StrEnum):
    """How drift is written."""

    TEXT = "text"
    JSON = "json"
    DIFF = "diff"


@dataclass(frozen=True)
class TableDrift:
    """One table's differences, and the edit of its contract that answers them."""

    table: str
    source: str
    drifts: tuple[Drift, ...]
    diff: str

    @property
    def stops(self) -> bool:
        """Whether a run would refuse the table."""
        return any(one.stops for one in self.drifts)


def suggested_diff(path: Path, drifts: Sequence[Drift]) -> str:
    """Returns the unified diff of a contract's file that answers the differences, as far as a contract can."""
    edits = [edit for one in drifts for edit in one.edits]
    text = path.read_text(encoding="utf-8")
    here = Path.cwd()
    shown = path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else Path(path.name)
    return unified_diff(text, patched(text, edits), shown.as_posix())


def write_drift(tables: Sequence[TableDrift], form: Form, out: TextIO) -> None:
    """Writes the drift of tables; those without any are only counted."""
    drifted = [one for one in tables if one.drifts]
    if form is Form.JSON:
        print(json.dumps([_plain(one) for one in tables], ensure_ascii=False, indent=2), file=out)
    elif form is Form.DIFF:
        print("".join(one.diff for one in drifted), end="", file=out)
    else:
        _draw(drifted, out) if out.isatty() else _list(drifted, out)
        stopped = sum(one.stops for one in tables)
        compared = f"{len(tables)} table{'' if len(tables) == 1 else 's'} compared"
        print(f"{compared}, {stopped} would be refused. No row was read.", file=out)


def _plain(one: TableDrift) -> dict[str, object]:
    drifts = [
        {
            "kind": drift.kind.value,
            "column": drift.column,
            "contract": drift.contract,
            "source": drift.source,
            "severity": "error" if drift.stops else "warning",
            "advice": drift.advice,
        }
        for drift in one.drifts
    ]
    return {"table": one.table, "source": one.source, "refused": one.stops, "drift": drifts, "diff": one.diff}


def _list(drifted: Sequence[TableDrift], out: TextIO) -> None:
    for one in drifted:
        for drift in one.drifts:
            said = f" contract: {drift.contract};" if drift.contract else ""
            has = f" source: {drift.source}" if drift.source else " source: none"
            place = f"{one.table}.{drift.column}" if drift.column else one.table
            severity = "error" if drift.stops else "warning"
            print(f"{place}: {severity}: {drift.kind};{said}{has}\n    {drift.advice}", file=out)
        if one.diff:
            print(one.diff, end="", file=out)


def _draw(drifted: Sequence[TableDrift], out: TextIO) -> None:
    console = Console(file=out)
    if not drifted:
        return
    drawn = Table("table", "column", "drift", "contract", "source", "what to do", show_lines=True)
    for one in drifted:
        for number, drift in enumerate(one.drifts):
            cells = (drift.column, drift.kind.value, drift.contract, drift.source, drift.advice)
            style = "red" if drift.stops else "yellow"
            drawn.add_row(Text(one.table if number == 0 else ""), *(Text(text) for text in cells), style=style)
    console.print(drawn)
    for one in drifted:
        console.print(one.diff, markup=False, highlight=False, soft_wrap=True, end="")
