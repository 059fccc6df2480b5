"""Reads the views that Looker Studio reads: `schemas/views/*.sql`, one SELECT a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from schemas.bigquery_limits import LONGEST_TABLE_DESCRIPTION
from schemas.contract_file import BUNDLED
from schemas.errors import ContractInvalid
from schemas.lint import VIEW_FITS, LintedFile, Located
from schemas.reviewed import NAME
from schemas.view_header import read_header
from schemas.words import Text
from schemas.written import written_problems
from schemas.yaml_file import read_text, unprintable_at

FOLDER: Final = BUNDLED / "views"
SMALLEST_GROUP: Final = "@smallest_group"
"""What stands in a query for the settings' smallest group of members that views show."""
_UNSEEN: Final = {
    "holds a carriage return that ends no line": re.compile(r"\r"),
    "holds a mark that turns the direction of writing": re.compile("[\u202a-\u202e\u2066-\u2069]"),
}
"""Where line ends are line feeds: a comment ends at the first for some only, and the others show a person another order
than runs (Unicode Annex 9), so what is reviewed would not be what runs.
"""
_NOTHING: Final[Mapping[str, str]] = {}
_AFTER_A_TABLE: Final = (
    "WHERE|GROUP|HAVING|ORDER|LIMIT|ON|USING|JOIN|LEFT|RIGHT|FULL|INNER|CROSS|UNION|EXCEPT|INTERSECT|WINDOW|QUALIFY|"
    "TABLESAMPLE|FOR|PIVOT|UNPIVOT"
)
_ALIAS: Final = rf"(?P<alias>\s+(?:AS\s+)?(?!(?:{_AFTER_A_TABLE}|AS)\b)[A-Za-z_]\w*)?"


@dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        name: of the view.
        about: what it answers.
        sql: its query.
        grain: the columns of which no two rows have the same values.
        date: the column that a report's date control filters.
        columns: what each column is, in their order.
    """

    name: str
    about: Text
    sql: str
    grain: tuple[str, ...] = ()
    date: str | None = None
    columns: Mapping[str, Text] = field(default_factory=dict)

    @property
    def suppresses(self) -> bool:
        """Whether groups of few members are left out."""
        return SMALLEST_GROUP in self.sql

    def showing_groups_of(self, smallest: int) -> View:
        """Returns the view as it is published: no group has fewer members than so many."""
        return replace(self, sql=self.sql.replace(SMALLEST_GROUP, str(smallest)))

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
        ContractInvalid: a file is no UTF-8 text, lacks its `-- about:` line or a query, or has no view's name.
    """
    return tuple(read_view(path) for path in sorted(folder.glob("*.sql")))


def _aliased(table: str, subquery: str) -> Callable[[re.Match[str]], str]:
    return lambda found: subquery + (found["alias"] or f" AS {table.split('.')[1]}")


def read_view(path: Path) -> View:
    """Returns the view in one file.

    Raises:
        ContractInvalid: see `load_views`.
    """
    text, fault = read_text(path)
    text = text.replace("\r\n", "\n")  # one text is reviewed and sent, and an escaped line end is one character of it
    header = read_header(text)
    query = text[header.length :].strip().rstrip(";").strip() if header else ""
    what, line, todo = "", 1, "Say in one line what the view answers."
    if fault is not None:
        what, line, todo = fault.what, fault.line, "Write it as UTF-8 text."
    elif any(written_problems(text.splitlines())):
        what, todo = "holds what looks like a card number or My Number, and it is published", "Take it out."
    elif unseen := _unseen(text):
        (what, line), todo = unseen, "Take it out."
    elif header is None:
        what = "does not begin with a line `-- about: …`"
    elif len(header.about.longest) > LONGEST_TABLE_DESCRIPTION:
        length = len(header.about.longest)
        what = f"has an `about` of {length:,} characters; BigQuery takes {LONGEST_TABLE_DESCRIPTION:,}"
    elif header.problem:
        what, todo = header.problem, "See the other views for what a header says."
    elif not query:
        what, line, todo = "has no query", 2, "Write one SELECT below its `-- about:` line."
    elif not NAME.match(path.stem):
        what = "has a name that contracts do not take"
        todo = "Name the file with lower-case letters, digits and underscores, then .sql."
    if header is None or what:
        where = {"file": f"views/{path.name}:{line}"}
        raise ContractInvalid(f"View {path.name} {what}.", not_done="No view was created.", advice=todo, where=where)
    return View(
        name=path.stem,
        about=header.about,
        sql=query,
        grain=header.grain,
        date=header.date,
        columns=header.columns,
    )


def _unseen(text: str) -> tuple[str, int] | None:
    """Returns what nobody sees in a text, and its line."""
    if line := unprintable_at(text):
        return "holds a control character", line
    for what, pattern in _UNSEEN.items():
        if found := pattern.search(text):
            return what, text.count("\n", 0, found.start()) + 1
    return None


def view_findings(paths: Iterable[Path]) -> tuple[Located, ...]:
    """Returns every finding about the views in the folders at the paths, in the order of files."""
    folders = [path / "views" for path in paths if path.is_dir()]
    files = sorted({file for folder in folders for file in folder.glob("*.sql")})
    return tuple(found for file in files for found in _findings(file))


def _findings(path: Path) -> Iterator[Located]:
    try:
        read_view(path)
    except ContractInvalid as error:
        yield LintedFile(path, None).at(VIEW_FITS, error.what, int(error.where["file"].rsplit(":", 1)[1]))
