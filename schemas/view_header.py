"""The comment lines at the head of a view's file: what it answers, its grain, its date, its columns; in two languages.

    -- about: GMV a business day.
    -- about[ja]: 営業日ごとの取扱高。
    -- grain: business_date, status
    -- date: business_date
    -- column business_date: The business day in Japan. | 日本の営業日。

Only the first line must be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.bigquery_limits import LONGEST_COLUMN_DESCRIPTION
from schemas.words import Text

_ABOUT: Final = re.compile(r"\A-- about: *(\S.*)(?:\n-- about\[ja\]: *(\S.*))?(?:\n|\Z)")
_MORE: Final = re.compile(r"-- (?P<key>grain|date|column (?P<column>[a-z_][a-z0-9_]*)): *(?P<said>\S.*)(?:\n|\Z)")


@dataclass(frozen=True)
class Header:
    """What a view's file says of it.

    Attributes:
        about: what it answers.
        grain: the columns that identify a row.
        date: the column of a report's date control.
        columns: what each column is.
        length: of the header, in characters.
        problem: what is wrong with it; empty where nothing is.
    """

    about: Text
    grain: tuple[str, ...]
    date: str | None
    columns: Mapping[str, Text]
    length: int
    problem: str


def read_header(text: str) -> Header | None:
    """Returns the header at the beginning of a text, or None where it does not begin with `-- about: …`."""
    about = _ABOUT.match(text)
    if about is None:
        return None
    grain: tuple[str, ...] = ()
    date, columns, at = None, {}, about.end()
    while line := _MORE.match(text, at):
        said, at = line["said"].strip(), line.end()
        if line["column"]:
            english, _, japanese = said.partition(" | ")
            columns[line["column"]] = Text(english.strip(), japanese.strip())
        elif line["key"] == "grain":
            grain = tuple(part.strip() for part in said.split(","))
        else:
            date = said
    return Header(
        about=Text(about[1].strip(), (about[2] or "").strip()),
        grain=grain,
        date=date,
        columns=columns,
        length=at,
        problem=_problem(grain, date, columns),
    )


def _problem(grain: tuple[str, ...], date: str | None, columns: Mapping[str, Text]) -> str:
    named = [*grain, *([date] if date else [])]
    strangers = [name for name in named if columns and name not in columns]
    if strangers:
        return f"names {', '.join(dict.fromkeys(strangers))} in its grain or date, which it does not describe"
    long = [name for name, about in columns.items() if len(about.longest) > LONGEST_COLUMN_DESCRIPTION]
    return f"describes {', '.join(long)} in more than {LONGEST_COLUMN_DESCRIPTION:,} characters" if long else ""
