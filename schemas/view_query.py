"""What a view's query may be: one SELECT over published tables, read word by word without a database.

The rule is an allow list. Wherever a query names a table — after FROM or JOIN, or after a comma among these — the name
is a published table, a subquery of the same query by its name, a parenthesis, or UNNEST; all else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<text>(?:[rRbB]{1,2})?(?:'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    |(?P<name>(?:`[^`\\]+`|[^\W\d]\w*)(?:\s*\.\s*(?:`[^`\\]+`|\*|\w+))*)
    |(?P<sign>\|>|.)""",
    re.VERBOSE | re.DOTALL,
)
_BEGINS: Final = {"SELECT", "WITH", "("}
_ENDS_TABLES: Final = {
    "SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "WINDOW", "QUALIFY", "UNION", "EXCEPT", "INTERSECT",
}  # fmt: skip
_TAKES_FROM: Final = {"EXTRACT", "TRIM", "LTRIM", "RTRIM", "SUBSTRING"}
"""Functions in whose parentheses FROM is followed by a value."""
_FUNCTIONS: Final = {"SAFE", "NET", "HLL_COUNT"}
"""Before the point of a function that is BigQuery's own; any other is somebody's, and may read what it likes."""


@dataclass
class _Depth:
    """What one parenthesis holds: whether tables are listed in it now, and whether its FROM is followed by a value."""

    tables: bool = False
    value: bool = False

    def goes_on(self, before: str, word: str) -> bool:
        """Tells whether a table's name comes after a word."""
        if word == "FROM" and before != "DISTINCT" and not self.value:
            self.tables = True
            return True
        return word == "JOIN" or (word == "," and self.tables)


def query_problems(sql: str, published: Collection[str], reserved: Collection[str]) -> tuple[str, ...]:
    """Returns what is wrong with a view's query; names of tables and datasets only.

    Args:
        sql: the query.
        published: dataset.table of every contract.
        reserved: datasets of the product itself, which no query names at all.
    """
    words = _words(sql)
    if not words or words[0].upper() not in _BEGINS:
        return ("is not a SELECT",)
    if {";", "|>", "`"}.intersection(words):
        return ("is not one SELECT statement in plain words",)
    found = [*_reserved_names(words, reserved), *_foreign_tables(words, published), *_foreign_functions(words)]
    return tuple(dict.fromkeys(found))


def _words(sql: str) -> Sequence[str]:
    """Returns names with their points, signs, and for each literal a sign that is none; comments are left out."""
    words = []
    for token in _TOKEN.finditer(sql):
        if token["text"] is not None:
            words.append("''")
        elif token["name"] is not None:
            words.append(re.sub(r"[`\s]", "", token["name"]))
        elif token["sign"] is not None:
            words.append(token["sign"])
    return words


def _reserved_names(words: Sequence[str], reserved: Collection[str]) -> Iterator[str]:
    """Yields each dataset of the product that stands before a point: as a dataset, or behind a project."""
    of_product = {name.casefold() for name in reserved}
    for word in words:
        *before, _ = word.casefold().split(".")
        yield from (
            f"names dataset {name}, which belongs to the product"
            for name in sorted(of_product.intersection(before[:2]))
        )


def _foreign_functions(words: Sequence[str]) -> Iterator[str]:
    for word, after in pairwise(words):
        if after == "(" and "." in word and word.split(".")[0].upper() not in _FUNCTIONS:
            yield f"calls {word}, which is no function of BigQuery's own"


def _foreign_tables(words: Sequence[str], published: Collection[str]) -> Iterator[str]:
    """Yields each name in a table's place that is not on the allow list."""
    known = {*published, *_subqueries(words)}
    for word, after in _in_tables_place(words):
        if not (after == "(" and word.upper() == "UNNEST") and (after == "(" or word not in known):
            yield f"reads {word}, which no contract publishes"


def _subqueries(words: Sequence[str]) -> Iterator[str]:
    """Yields the names of WITH: those that AS and a parenthesis follow."""
    for word, after, then in zip(words, words[1:], words[2:], strict=False):
        if "." not in word and (after.upper(), then) == ("AS", "("):
            yield word


def _in_tables_place(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields each name in a table's place, and the word after it."""
    depths, due = [_Depth()], False
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        upper = word.upper()
        if word == "(":
            depths.append(_Depth(tables=due, value=before.upper() in _TAKES_FROM))
            continue
        if word == ")" and len(depths) > 1:
            depths.pop()
        elif due and upper not in _BEGINS:
            yield word, after
        elif upper in _ENDS_TABLES:
            depths[-1].tables = False
        due = depths[-1].goes_on(before.upper(), upper)
