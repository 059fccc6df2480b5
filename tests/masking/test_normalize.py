"""Different spellings of one value meet, different values do not, and what cannot be read is null."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from masking.normalize import Normalizer, normalize


def read(text: str, *steps: Normalizer) -> str | None:
    """One text after the steps."""
    result: str | None = normalize(pa.array([text]), steps)[0].as_py()
    return result


@pytest.mark.parametrize(
    ("step", "spelled", "meets"),
    [
        ("nfkc", "ＡＢＣ１２３ｱ", "ABC123ア"),
        ("lower", "TaroÄ", "taroä"),
        ("trim", "　taro \u00a0", "taro"),
        ("digits", "4111-1111-1111-1111", "4111111111111111"),
        ("digits", "４１１１ １１１１．１１１１－１１１１", "4111111111111111"),
        ("digits", "4111\u00a01111\u20101111\u22121111", "4111111111111111"),
        ("jp_phone", "090-1234-5678", "09012345678"),
        ("jp_phone", "+81 90 1234 5678", "09012345678"),
        ("jp_phone", "+81 (0)90-1234-5678", "09012345678"),
        ("jp_phone", "０３（１２３４）５６７８", "0312345678"),
        ("jp_phone", "0081-3-1234-5678", "0312345678"),
        ("jp_postal", "〒150-0001", "1500001"),
        ("jp_postal", "１５０ー０００１", "1500001"),
        ("kana", "ﾔﾏﾀﾞ たろう", "ヤマダタロウ"),
        ("kana", "ヤマダ　タロウ", "ヤマダタロウ"),
        ("email", " Hanako@Example.JP ", "hanako@example.jp"),
        ("email", "ｈａｎａｋｏ＠example.jp", "hanako@example.jp"),
    ],
)
def test_spellings_meet(step: Normalizer, spelled: str, meets: str) -> None:
    """Each step gives the one text in which the spellings of a value meet, and leaves that text alone."""
    assert read(spelled, step) == meets
    assert read(meets, step) == meets


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("digits", "4111x"),
        ("digits", ""),
        ("digits", "--"),
        ("digits", "4²"),
        ("jp_phone", "12345"),
        ("jp_phone", "+1 212 555 0100"),
        ("jp_phone", "none"),
        ("jp_postal", "150-001"),
        ("jp_postal", "NW1 6XE"),
        ("email", "hanako.example.jp"),
        ("email", "a@b@c"),
        ("email", "@"),
    ],
)
def test_what_a_step_cannot_read_becomes_null(step: Normalizer, text: str) -> None:
    """No guess: two unreadable values must not meet in one token."""
    assert read(text, step) is None


def test_steps_run_in_order_and_keep_nulls() -> None:
    """The contract's order is the order; null stays null; slices are fine."""
    column = pa.array(["x", None, " ＡＢＣ "])[1:]
    assert normalize(column, ("nfkc", "trim", "lower")).to_pylist() == [None, "abc"]
    assert normalize(pa.array([], pa.string()), ("digits", "kana", "email")).to_pylist() == []


@for_all(st.text("0123456789", min_size=1, max_size=20), st.text(" -.‐−　", max_size=3))
def test_separators_never_change_a_number(number: str, separator: str) -> None:
    """Any separators between the digits give the digits."""
    assert read(separator.join(number), "digits") == number
