"""The index by which the pages' own script finds tables, columns and views; names and descriptions only."""

from __future__ import annotations

import json
from collections.abc import Iterator

from etl.reports.facts.catalog import Catalog, TableFacts
from etl.reports.words.wording import Wording

Entry = tuple[str, str, str, str]


def search_script(catalog: Catalog, say: Wording) -> str:
    """Returns a script that defines the index: name, where it belongs, page, and words to be found by."""
    entries = [*_views(catalog, say), *(entry for table in catalog.tables.values() for entry in _table(table, say))]
    return f"window.INDEX={json.dumps(entries, ensure_ascii=False, separators=(',', ':'))};\n"


def _views(catalog: Catalog, say: Wording) -> Iterator[Entry]:
    for view in catalog.views.values():
        page = f"views/{view.name}.html"
        yield view.name, say.text("catalog.view"), page, say.of(view.about)
        for name, _, about in view.columns:
            yield name, view.name, f"{page}#{name}", say.of(about)


def _table(table: TableFacts, say: Wording) -> Iterator[Entry]:
    page = f"tables/{table.table}.html"
    yield table.table, table.dataset, page, say.of(table.about)
    for column in table.columns:
        kind = say.text(f"class.{column.column_class}") if column.column_class != "none" else ""
        yield column.name, table.table, f"{page}#{column.name}", f"{kind} {say.of(column.about)}".strip()
