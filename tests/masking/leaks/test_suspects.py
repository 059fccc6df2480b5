"""The quick look at a column sets no leak aside: whatever the exact rules find, they find behind it too."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from masking.leaks import ALL_KINDS, find_spans
from masking.leaks.spans import _find
from masking.leaks.spelling import plain

PIECES = st.sampled_from(
    [
        *("4111", "1111", "0", "3-1234", "5678", "90", "8", "1", "1234", "9018", "+81", "@", "a.jp", "x"),
        *("٤١١١", "%34111", "\\uff14111", "&#52;111", "\\u0040", "%40", "&commat;", "4.111111111111111E15"),
    ]
)
GAPS = st.sampled_from(
    [
        *("", "", " ", "-", "・", ".", " - ", "   ", "    ", "/", "_", "(", ")", "\t", "１", "カ", "$"),
        *(
            "、",
            '", "',
            "%20",
            "%20x",
            "\\nb",
            "&id=",
            "%3D",
            "%2",
            "&nbsp%3B",
            "\\\\n",
            "%255Cn",
            "+",
            "\\n",
            "&nbsp;",
            "<br>",
            "\u200e",
            "       ",
            "の",
        ),
    ]
)
TEXTS = st.lists(st.tuples(PIECES, GAPS).map("".join), max_size=14).map("".join)


@given(st.lists(st.none() | TEXTS, max_size=6))
@example(["4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4   1   1   1   1   1   1   1   1   1   1   1   1   1   1   1", "", "1"])
@example(["1234", "4111111111111111", "1234", "x" * 300, "0" * 300 + " 4111111111111111", "12345"])
@example(["4111111111111111", *["123456789"] * 27])
@example(["090-1234-5678", "0(9)0(1)2(3)4(5)6(7)8", "+81 3 1234 5678", "order 123456789 paid"])
def test_the_exact_rules_see_every_leak(texts: list[str | None]) -> None:
    """With and without the quick looks, and in one chunk of text or row by row, the same spans are found."""
    column = pa.array(texts, pa.string())
    exact = sorted(
        {
            (row, *text.original(row, start, end), kind)
            for text in (plain(column), plain(column, decoded=True))
            for row, start, end, kind in _find(text, ALL_KINDS)
        }
    )
    assert find_spans(column) == exact
    alone = [(row, *span[1:]) for row in range(len(column)) for span in find_spans(column.slice(row, 1))]
    assert alone == exact
