"""Patterns mean what Java means by them, or are left to Java."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.measures.patterns import common_pattern
from expectations.measures.predicates import Matches, UndecidedHere

LINE_ENDS = "\n\r\x85\u2028\u2029"
ATOMS = st.sampled_from(["a", "1", "_", "太", ".", r"\d", r"\w", r"\W", r"\.", "[a-c_]", "[^a]", r"[\d.]", "(?:a|1)"])
PARTS = st.builds(str.__add__, ATOMS, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "+?"]))
PATTERNS = st.builds(
    lambda begin, parts, end: begin + "".join(parts) + end,
    st.sampled_from(["", "^"]),
    st.lists(PARTS, min_size=1, max_size=4),
    st.sampled_from(["", "$"]),
)
TEXTS = st.text(st.sampled_from("ab1_.太é" + LINE_ENDS), max_size=6)


def java(pattern: str) -> re.Pattern[str]:
    """Returns an expression that says in Python what Java says: its `.`, its `$`, and classes of ASCII."""
    written = re.sub(r"(?<![\\\[\d])\.(?!\])", f"[^{LINE_ENDS}]", pattern)
    end = rf"(?:(?<!\r)(?=\n\Z)|(?=\r\n\Z)|(?=[{LINE_ENDS[1:]}]\Z)|\Z)"
    return re.compile(written.removesuffix("$") + end if pattern.endswith("$") else written, re.ASCII)


@given(pattern=PATTERNS, texts=st.lists(st.none() | TEXTS, min_size=1, max_size=8))
def test_what_is_decided_is_decided_as_java_does(pattern: str, texts: list[str | None]) -> None:
    """Where a pattern is taken and the texts leave no doubt, exactly those match in which Java finds it."""
    taken = common_pattern(pattern)
    assert taken is not None
    batch = pa.record_batch([pa.array(texts, pa.string())], ["x"])
    try:
        found = Matches("x", taken).holds(batch).to_pylist()
    except UndecidedHere:
        assert pattern.endswith("$")
        assert any(set(text or "") & set(LINE_ENDS) for text in texts)
        return
    assert found == [None if text is None else java(pattern).search(text) is not None for text in texts]


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)", "(?<!a)b", r"(a)\1", "a++", "[a-z&&[^b]]", "[[:alpha:]]", "(?i)a", r"\s", r"\bword", r"\Qa.b\E",
        r"\p{L}", "a{,3}", "a{1001}", "[]a]", "(", "*a", "a|*", r"\u0041", "[a-z", "(?<name>a)", "#{2}+",
    ],
)  # fmt: skip
def test_what_the_two_might_read_differently_is_left_to_java(pattern: str) -> None:
    """Lookarounds, back-references, flags, classes in classes, Unicode's classes and what is wrong are not taken."""
    assert common_pattern(pattern) is None


def test_every_shape_of_a_token_is_taken() -> None:
    """What contracts derive — tokens, networks, parts of cards, dates, bands, names — is counted by the workers."""
    for pattern in (
        "^k[0-9]+_(?:[0-9a-f]{2}){16,}$", "^[0-9]{13,19}$", "^[0-9a-f.:]+/[0-9]{1,2}$", "^[0-9]{6}x{6}[0-9]{4}$",
        r"(?s)^(?:.{2}\*+.{2}|\**)$", "^[0-9]{4}-Q[1-4]$", "^(?:東京都|京都府)$", "^CP20[0-9]{4}$", "^https://",
    ):  # fmt: skip
        assert common_pattern(pattern) is not None, pattern
