"""The views that Looker Studio reads: `schemas/views/*.sql`, one SELECT a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.cloud import bigquery

from etl.errors import SettingsInvalid
from etl.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from schemas.contract import BUNDLED, Contract

FOLDER: Final = BUNDLED / "views"
_ABOUT: Final = re.compile(r"\A-- about: (.+)\n")


@dataclass(frozen=True)
class View:
    """One view: its name, what it answers, and its query."""

    name: str
    about: str
    sql: str

    def tables(self, published: Iterable[str]) -> tuple[str, ...]:
        """Gives those published tables that the query names."""
        return tuple(table for table in published if re.search(rf"\b{re.escape(table)}\b", self.sql))

    def qualified(self, project: str, published: Iterable[str]) -> str:
        """Gives the query with its tables named in full: BigQuery resolves a view's tables wherever it is read from."""
        sql = self.sql
        for table in self.tables(published):
            sql = re.sub(rf"`?\b{re.escape(table)}\b`?", f"`{project}.{table}`", sql)
        return sql


def load_views(folder: Path = FOLDER) -> tuple[View, ...]:
    """Gives every view of a folder, by name.

    Raises:
        SettingsInvalid: a file lacks its `-- about:` line.
    """
    return tuple(_read(path) for path in sorted(folder.glob("*.sql")))


def _read(path: Path) -> View:
    text = path.read_text(encoding="utf-8")
    found = _ABOUT.match(text)
    if not found:
        raise SettingsInvalid(
            f"View {path.name} does not begin with a line `-- about: …`.",
            not_done="No view was created.",
            advice="Say in one line what the view answers.",
        )
    return View(path.stem, found[1].strip(), text[found.end() :].strip().rstrip(";"))


def publish_views(warehouse: Warehouse, contracts: Mapping[str, Contract], views: Iterable[View]) -> tuple[str, ...]:
    """Creates or replaces every view whose tables are all published; gives the names of those that now stand."""
    warehouse.ensure_dataset(warehouse.settings.views_dataset)
    names = [contract.publish for contract in contracts.values()]
    present: dict[str, bool] = {}
    done = []
    for view in views:
        for table in view.tables(names):
            if table not in present:
                present[table] = warehouse.find_table(table) is not None
        if all(present[table] for table in view.tables(names)):
            _publish(warehouse, view, view.qualified(warehouse.settings.project, names))
            done.append(view.name)
    return tuple(done)


def _publish(warehouse: Warehouse, view: View, sql: str) -> None:
    name = f"{warehouse.settings.views_dataset}.{view.name}"
    found = warehouse.find_table(name)
    if found is not None and found.view_query == sql and found.description == view.about:
        return
    table = bigquery.Table(warehouse.table_id(name))
    table.view_query, table.description = sql, view.about
    with translated(f"View {name} could not be created"):
        if found is None:
            warehouse.client.create_table(table, timeout=TIMEOUT_SECONDS, retry=RETRY)
        else:
            warehouse.client.update_table(table, ["view_query", "description"], timeout=TIMEOUT_SECONDS, retry=RETRY)
