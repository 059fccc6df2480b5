"""Regular expressions that mean the same to RE2, which counts here, and to Java, which Spark asks.

Only a common core is taken: literal characters, classes without sets in sets, groups, alternatives, repetitions, the
ASCII classes of digits and words, `.`, `^` and `$`. Of `.` Java leaves out more line ends, so it is written out. Java's
`$` also matches before a last line break; see `predicates.Matches`.
(Java SE, `java.util.regex.Pattern`; RE2, `doc/syntax.txt`.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_ESCAPED: Final = r"\\(?:[dDwW]|[!-/:-@\[-`{-~])"
_TOKEN: Final = re.compile(
    rf"(?P<atom>{_ESCAPED}|\[\^?(?:{_ESCAPED}|[^\]\[\\&^])(?:{_ESCAPED}|[^\]\[\\&])*\]|[^\\\[\](){{}}*+?.^$|])"
    r"|(?P<dot>\.)|(?P<open>\((?:\?:)?(?!\?))|(?P<close>\))|(?P<other>[|^])|(?P<end>\$)"
    r"|(?P<times>(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![+*?{]))",
    re.DOTALL,
)
_ANY_TO_JAVA: Final = r"[^\n\r\x{85}\x{2028}\x{2029}]"
_DOT_ALL: Final = "(?s)"
_REPEATABLE: Final = frozenset({"atom", "dot", "close"})


@dataclass(frozen=True)
class Pattern:
    """A regular expression as RE2 reads it.

    Attributes:
        re2: the expression.
        names_the_end: whether it has a `$`.
    """

    re2: str
    names_the_end: bool


@lru_cache(maxsize=1024)
def common_pattern(java: str) -> Pattern | None:
    """Returns an expression of Java's as RE2 reads it; None where the two might not agree on it."""
    dots_all = java.startswith(_DOT_ALL)
    rest = java.removeprefix(_DOT_ALL)
    written, before, place = [_DOT_ALL if dots_all else ""], "", 0
    while place < len(rest):
        found = _TOKEN.match(rest, place)
        kind = found.lastgroup if found else None
        if found is None or kind is None or (kind == "times" and before not in _REPEATABLE):
            return None
        written.append(_ANY_TO_JAVA if kind == "dot" and not dots_all else found[0])
        before, place = kind, found.end()
    pattern = Pattern("".join(written), "$" in java)
    return pattern if _known_to_re2(pattern.re2) else None


def _known_to_re2(pattern: str) -> bool:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid:
        return False
    return True
