"""`kagemusha diff`: what a change of the contracts newly exposes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli.options import ContractsFolder

if TYPE_CHECKING:
    from schemas.exposure import Change

_EXPOSES = 1


class Form(StrEnum):
    """How changes are written."""

    TEXT = "text"
    JSON = "json"


def diff(
    old: Annotated[str, typer.Argument(help="The contracts before: a folder, or a git revision such as origin/main.")],
    form: Annotated[Form, typer.Option("--format", help="text or json.")] = Form.TEXT,
    contracts: ContractsFolder = None,
) -> None:
    """Say which columns a change of the contracts newly shows, masks more weakly, otherwise or more strongly.

    Ends with 0 when nothing more can be seen than before, with 1 when something can, with 2 when contracts are invalid.
    """
    from etl.authoring.git_revision import contracts_at
    from schemas.contract_file import BUNDLED, load_contracts
    from schemas.exposure import exposure

    folder = contracts or BUNDLED
    with contracts_at(old, folder) as before:
        changes = exposure(load_contracts(before), load_contracts(folder))
    typer.echo(_json(changes) if form is Form.JSON else _text(changes))
    if any(change.verdict.exposes for change in changes):
        raise typer.Exit(_EXPOSES)


def _text(changes: Sequence[Change]) -> str:
    lines: list[str] = []
    width = max((len(change.verdict) for change in changes), default=0)
    for table, of_table in groupby(changes, key=lambda change: change.table):
        lines.append(table)
        lines += (
            f"{'!' if one.verdict.exposes else ' '} {one.verdict:{width}}  {one.column or '(table)'}: "
            f"{one.before} → {one.after}"
            for one in of_table
        )
    counts = Counter(change.verdict for change in changes)
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in counts)
    return "\n".join([*lines, total or "Nothing that can be seen changes."])


def _json(changes: Sequence[Change]) -> str:
    written = [{**asdict(change), "exposes": change.verdict.exposes} for change in changes]
    return json.dumps(written, ensure_ascii=False, indent=2)
