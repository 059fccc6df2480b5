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

_SKIP: Final = r"(?:\s|--[^\r\n]*|\#[^\r\n]*|/\*.*?\*/)"
_TOKEN: Final = re.compile(
    rf"""(?P<skip>{_SKIP}+)
    |(?P<text>(?:[rRbB]{{1,2}})?(?:'{{3}}(?:\\.|[^\\])*?'{{3}}|"{{3}}(?:\\.|[^\\])*?"{{3}}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    |(?P<name>`[^`\\]+`|[^\W\d]\w*)
    |(?P<part>\.{_SKIP}*(?P<called>`[^`\\]+`|\*|[^\W\d]\w*))
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


_GOES_ON: Final = {"-", "."}
"""After a table's name: more of it, as in `a-project.dataset.table`."""


@dataclass(frozen=True)
class _Word:
    """A name with its points, a sign, or a sign that stands for a literal.

    Attributes:
        text: without the quotes of names.
        keyword: in upper case; empty for a name in quotes, or after a point: BigQuery takes such for a name only.
    """

    text: str
    keyword: str


@dataclass
class _Depth:
    """What one parenthesis holds: whether tables are listed in it now, and whether its FROM is followed by a value."""

    tables: bool = False
    value: bool = False

    def goes_on(self, before: str, word: str) -> bool:
        """Tells whether a table's name comes after a keyword."""
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
    if not words or words[0].keyword not in _BEGINS:
        return ("is not a SELECT",)
    if {";", "|>", "`"}.intersection(word.text for word in words):
        return ("is not one SELECT statement in plain words",)
    found = [*_reserved_names(words, reserved), *_foreign_tables(words, published), *_foreign_functions(words)]
    return tuple(dict.fromkeys(found))


def _words(sql: str) -> Sequence[_Word]:
    """Returns names, signs and literals in their order; comments are left out."""
    words: list[_Word] = []
    at, named = 0, False
    while token := _TOKEN.match(sql, at):
        at = token.end()
        if token["part"] is not None and named:
            longer = f"{words.pop().text}.{_plain(token['called'])}"
            words.append(_Word(longer, ""))
        elif token["part"] is not None and words and words[-1].text in {")", "]"}:
            words += [_Word(".", "."), _Word(_plain(token["called"]), "")]
        elif token["part"] is not None:
            words.append(_Word(".", "."))
            at = token.start() + 1
        elif token["name"] is not None:
            words.append(_Word(_plain(token["name"]), token["name"].upper() if "`" not in token["name"] else ""))
        elif token["skip"] is None:
            sign = "''" if token["text"] is not None else token["sign"]
            words.append(_Word(sign, sign))
        named = token["name"] is not None or (named and (token["skip"] or token["part"]) is not None)
    return words


def _plain(name: str) -> str:
    return re.sub(r"[`\s]", "", name)


def _reserved_names(words: Sequence[_Word], reserved: Collection[str]) -> Iterator[str]:
    """Yields each dataset of the product that stands before a point: as a dataset, or behind a project."""
    of_product = {name.casefold() for name in reserved}
    for word in words:
        *before, _ = word.text.casefold().split(".")
        yield from (
            f"names dataset {name}, which belongs to the product"
            for name in sorted(of_product.intersection(before[:2]))
        )


def _foreign_functions(words: Sequence[_Word]) -> Iterator[str]:
    for word, after in pairwise(words):
        *before, _ = word.text.upper().split(".")
        if after.text == "(" and before and not (len(before) == 1 and before[0] in _FUNCTIONS):
            yield f"calls {word.text}, which is no function of BigQuery's own"


def _foreign_tables(words: Sequence[_Word], published: Collection[str]) -> Iterator[str]:
    """Yields each name in a table's place that is not on the allow list."""
    known = {*published, *_subqueries(words)}
    for word, after in _in_tables_place(words):
        if word.keyword == "UNNEST" and after == "(":
            continue
        if after == "(" or word.text not in known:
            yield f"reads {word.text}, which no contract publishes"
        elif after in _GOES_ON:
            yield f"reads {word.text}{after}…, which no contract publishes"


def _subqueries(words: Sequence[_Word]) -> Iterator[str]:
    """Yields the names of WITH: those that AS and a parenthesis follow."""
    for word, after, then in zip(words, words[1:], words[2:], strict=False):
        if "." not in word.text and (after.keyword, then.keyword) == ("AS", "("):
            yield word.text


def _in_tables_place(words: Sequence[_Word]) -> Iterator[tuple[_Word, str]]:
    """Yields each name in a table's place, and the word after it."""
    depths, due = [_Depth()], False
    none = _Word("", "")
    for before, word, after in zip([none, *words], words, [*words[1:], none], strict=False):
        if word.keyword == "(":
            depths.append(_Depth(tables=due, value=before.keyword in _TAKES_FROM))
            continue
        if word.keyword == ")" and len(depths) > 1:
            depths.pop()
        elif due and word.keyword not in _BEGINS:
            yield word, after.text
        elif word.keyword in _ENDS_TABLES:
            depths[-1].tables = False
        due = depths[-1].goes_on(before.keyword, word.keyword)
