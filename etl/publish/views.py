"""The views that Looker Studio reads: `schemas/views/*.sql`, one SELECT a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse
from etl.errors import SettingsInvalid
from etl.publish.token_maps import mapped_domains, seen_through_maps
from schemas.contract import Contract
from schemas.contract_file import BUNDLED

FOLDER: Final = BUNDLED / "views"
_ABOUT: Final = re.compile(r"\A-- about: (.+)\n")


_NOTHING: Final[Mapping[str, str]] = {}
_AFTER_A_TABLE: Final = (
    "WHERE|GROUP|HAVING|ORDER|LIMIT|ON|USING|JOIN|LEFT|RIGHT|FULL|INNER|CROSS|UNION|EXCEPT|INTERSECT|WINDOW|QUALIFY|"
    "TABLESAMPLE|FOR|PIVOT|UNPIVOT"
)
_ALIAS: Final = rf"(?P<alias>\s+(?:AS\s+)?(?!(?:{_AFTER_A_TABLE}|AS)\b)[A-Za-z_]\w*)?"


@dataclass(frozen=True)
class View:
    """One view: its name, what it answers, and its query."""

    name: str
    about: str
    sql: str

    def tables(self, published: Iterable[str]) -> tuple[str, ...]:
        """Returns those published tables that the query names."""
        return tuple(table for table in published if re.search(rf"\b{re.escape(table)}\b", self.sql))

    def qualified(self, project: str, published: Iterable[str], instead: Mapping[str, str] = _NOTHING) -> str:
        """Returns the query with its tables named in full: BigQuery resolves a view's tables wherever it is read from.

        Args:
            project: of the tables.
            published: every published table.
            instead: table → subquery that takes its place; it keeps the table's alias, or its name for one.
        """
        sql = self.sql
        for table in self.tables(published):
            if table in instead:
                sql = re.sub(rf"`?\b{re.escape(table)}\b`?{_ALIAS}", _aliased(table, instead[table]), sql)
            else:
                sql = re.sub(rf"`?\b{re.escape(table)}\b`?", f"`{project}.{table}`", sql)
        return sql


def load_views(folder: Path = FOLDER) -> tuple[View, ...]:
    """Returns every view of a folder, by name.

    Raises:
        SettingsInvalid: a file lacks its `-- about:` line.
    """
    return tuple(_read(path) for path in sorted(folder.glob("*.sql")))


def _aliased(table: str, subquery: str) -> Callable[[re.Match[str]], str]:
    return lambda found: subquery + (found["alias"] or f" AS {table.split('.')[1]}")


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


def publish_views(
    warehouse: Warehouse,
    contracts: Mapping[str, Contract],
    views: Iterable[View],
    without_maps: Collection[str] = (),
) -> tuple[str, ...]:
    """Creates or replaces every view whose tables are all published; returns the names of those that exist then.

    While tables are of several key versions, views see their tokens through the token maps, except for the domains in
    `without_maps`.
    """
    warehouse.ensure_dataset(warehouse.settings.views_dataset)
    names = [contract.publish for contract in contracts.values()]
    domains = mapped_domains(warehouse) - frozenset(without_maps)
    instead = _present_tokens(warehouse, contracts.values(), domains)
    present: dict[str, bool] = {}
    done = []
    for view in views:
        for table in view.tables(names):
            if table not in present:
                present[table] = warehouse.find_table(table) is not None
        if all(present[table] for table in view.tables(names)):
            _publish(warehouse, view, view.qualified(warehouse.settings.project, names, instead))
            done.append(view.name)
    return tuple(done)


def _present_tokens(warehouse: Warehouse, contracts: Iterable[Contract], domains: Collection[str]) -> dict[str, str]:
    """Gives, for tables some of whose tokens have a newer form, the query that shows these; see `token_maps.py`."""
    seen = {contract.publish: seen_through_maps(warehouse, contract, domains) for contract in contracts}
    return {table: sql for table, sql in seen.items() if sql}


def _publish(warehouse: Warehouse, view: View, sql: str) -> None:
    name = f"{warehouse.settings.views_dataset}.{view.name}"
    found = warehouse.find_table(name)
    if found is not None and found.view_query == sql and found.description == view.about:
        return
    table = bigquery.Table(warehouse.table_id(name))
    table.view_query, table.description = sql, view.about
    failed, not_done = f"View {name} could not be created", "The tables are published; the view is as it was."
    if found is None:
        warehouse.create_table(failed, table, not_done)
    else:
        warehouse.update_table(failed, table, ["view_query", "description"], not_done)
