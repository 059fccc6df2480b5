"""The quick look at a column sets no leak aside: whatever the exact rules find, they find behind it too."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from masking.leaks import ALL_KINDS, LeakKind, find_spans
from masking.leaks.spans import _find
from masking.leaks.spelling import plain
from masking.leaks.suspects import suspects
from masking.leaks.tokens import are_only_tokens, own_tokens

OWN = ("411111", "000041", "35280000")
ROWS = range(8_000)
PIECES = st.sampled_from(
    [
        *("4111", "1111", "0", "3-1234", "5678", "90", "8", "1", "1234", "9018", "+81", "@", "a.jp", "x"),
        *(
            "000",
            "0081",
            "00",
            "12:0",
            "T",
            "&",
            ";",
            "#",
            "%",
            "<b",
            "k1_" + "0123456789abcdef" * 2,
            "१२३४",
            "𝟜𝟙",
            "é",
        ),
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
            "\0" * 9,
            "\x7f" * 20,
            "~",
            ":",
            "E",
            "\u3000" * 3,
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
    exact = unfiltered(column)
    assert find_spans(column, own=OWN) == exact
    alone = [(row, *span[1:]) for row in range(len(column)) for span in find_spans(column.slice(row, 1), own=OWN)]
    assert alone == exact


@given(st.lists(st.none() | st.binary(max_size=40), max_size=6))
@example([b"4" + bytes([9]) + b"1" * 15, b"\xd9", b"\xa4" * 10, b"\xef\xbc", b"\x94" + b"111" * 5, b"\xf0\x9d\x9f"])
def test_no_bytes_are_set_aside(values: list[bytes | None]) -> None:
    """Bytes that are no UTF-8 are read the same with and without the quick looks."""
    column = pa.array(values, pa.binary())
    assert find_spans(column, own=OWN) == unfiltered(column)


def test_long_columns_of_everyday_values_lose_no_leak() -> None:
    """In columns of many pieces, each of one shape, the same spans are found as without the quick looks."""
    bits = random.Random(20261129)  # noqa: S311 - sample values, no secrets
    for shape in (
        "%08x-%04x-4%03x-a%03x-%012x",
        "%o",
        "0000%d",
        "%d.%d.%d.%d",
        "%02d:%02d:%02d.%06d",
        "%d T %d",
        "+%d",
    ):
        made = [
            shape % tuple(bits.getrandbits(bits.choice((8, 36, 53))) for _ in range(shape.count("%"))) for _ in ROWS
        ]
        column = pa.array([*made, "4111 1111 1111 1111", "", *made[:999], None])
        assert find_spans(column, own=OWN) == unfiltered(column)


def unfiltered(column: pa.Array) -> list[tuple[int, int, int, LeakKind]]:
    """Returns what the exact rules find in every row, without any quick look."""
    return sorted(
        {
            (row, *text.original(row, start, end), kind)
            for text in (plain(column), plain(column, decoded=True))
            for row, start, end, kind in _find(text, ALL_KINDS, OWN)
        }
    )


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("%2B442071838750", "1", "%20x"),
        (r"\uff10\uff10+\uff14\uff14\uff12\uff10\uff17\uff11\uff18\uff13\uff18\uff17\uff15\uff10", "x", "%20 1"),
        ("9059332105", "+", "+"),
        ("4111111111111&#49;&#49;&#49", "4", "1234 &#49;&#49;1111111111"),
        (r"\udfdc111 1111 1111 1111", r"1111111111 \ud835", "x"),
        (r"\\u0034" + r"\\u0031" * 15, "x", "y"),
        ("の090の1234の5678", "1", "2"),
        ("4111 1111 1111 111%3", "x", "1"),
    ],
)  # fmt: skip
def test_what_is_found_in_a_row_depends_on_no_other(text: str, before: str, after: str) -> None:
    """A row between others is read as it is alone: neither their encodings nor their last and first signs tell."""
    alone = [span[1:] for span in find_spans(pa.array([text]))]
    between = [span[1:] for span in find_spans(pa.array([before, text, after])) if span.row == 1]
    assert between == alone


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example/item/12345678?ref=mail&page=3",
        "/search?q=%E3%82%AB%E3%83%BC%E3%83%89&page=3&sort=new%20items",
        '{"state": "\\u6e08\\u307f", "memo": "\\u30ab\\u30fc\\u30c9\\u3092\\u9001\\u3063\\u305f"}',
        "<p>Paid <b>12345</b> yen &amp; thanks<br>see you</p>",
    ],
)
def test_harmless_escapes_need_no_second_look(text: str) -> None:
    """Letters that hexadecimal digits spell, query strings and HTML hold no ten digits, and are no suspects."""
    assert not list(suspects(pa.array([text])))


@pytest.mark.parametrize("leak", ["4111111111111111", "k1_4111111111111111", "k1_" + "0" * 31 + " 4111111111111111"])
@pytest.mark.parametrize("place", [0, 7, 9_000, 9_999])
def test_tokens_hide_no_neighbor(leak: str, place: int) -> None:
    """A column of our own tokens has no suspects; one value among them that is no token is still found."""
    tokens: list[str | None] = [f"k1_{number:032x}" for number in range(10_000)]
    assert not list(suspects(pa.array([*tokens, None, ""])))
    tokens[place] = leak
    assert [row for rows in suspects(pa.array(tokens)) for row in rows.tolist()] == [place]


NEARLY = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["k", "k", "k", "K", "", "kk"]),
        st.sampled_from(["1", "1", "12", "123", "1234", "", "a"]),
        st.sampled_from(["_", "_", "_", "", "__", "0"]),
        st.sampled_from([31, 32, 32, 33, 46, 1_019, 1_022]).map(lambda count: "0f9" + "7" * (count - 3)),
        st.sampled_from(["", "", "", "g", "_", "k", "\n", "é"]),
    ),
)


@given(rows=st.lists(NEARLY | st.just(""), max_size=6))
def test_a_column_of_tokens_alone_is_known_at_once(rows: list[str]) -> None:
    """It is one exactly where every row that is not empty is a token by itself."""
    values = [row.encode() for row in rows]
    offsets = np.cumsum([0, *map(len, values)])
    data = np.frombuffer(b"".join(values), np.uint8)
    filled = np.flatnonzero(np.diff(offsets))
    assert are_only_tokens(data, offsets) == own_tokens(data, offsets, filled).all()
