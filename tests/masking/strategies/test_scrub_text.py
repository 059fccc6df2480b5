"""scrub_text leaves nothing that the leak gate would stop, and nothing else is changed."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.leaks import count_leaks
from masking.strategies.scrub_text import ScrubText, _scrubbed

PIECES = [
    "4111111111111111",
    "5555 5555 5555 4444",
    "３７８２８２２４６３１０００５",
    "taro@example.jp",
    "090-1234-5678",
    "1234-5678-9018",
    "%B4111111111111111^YAMADA/TARO^2512101?",
    "0.",
    ".",
    "-",
    " ",
    "カード",
    "2023-08-31",
    "550e8400-e29b-41d4-a716-446655440000",
    "d41d8cd98f00b204e9800998ecf8427e",
    "k1_",
    "x",
    "12",
    "@",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("カード４１１１－１１１１－１１１１－１１１１を再発行", "カード[PAN]を再発行"),
        ("5555555555554444と4111 1111 1111 1111", "[PAN]と[PAN]"),
        ("連絡先 hanako@example.jp / 090-1234-5678", "連絡先 [EMAIL] / [PHONE]"),
        ("個人番号 1234-5678-9018 確認", "個人番号 [MY_NUMBER] 確認"),
        ("読取 %B4111111111111111^YAMADA/TARO^2512101? 済", "読取 [TRACK] 済"),
        ("4111111111111111@example.jp", "[PAN]"),
        ("4111 1111 1111 1111 1234-5678-9018", "[PAN] [MY_NUMBER]"),
        ("4111-1111-1111-1111-1234-5678-9018", "[PAN]-[MY_NUMBER]"),
        ("2023-08-31 分割 3 回、12,000 円", "2023-08-31 分割 3 回、12,000 円"),
        ("", ""),
        (None, None),
    ],
)
def test_leaks_become_placeholders(text: str | None, expected: str | None) -> None:
    """Each leak becomes the name of its kind; overlapping ones become the gravest; other text stays to the byte."""
    assert _scrubbed(pa.array([text], pa.string())).to_pylist() == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("長" * 30 + "@example.jp", "[EMAIL]"),
        ("長" * 70 + "@example.jp", "長" * 6 + "[EMAIL]"),
        ("é" * 40 + "@example.jp へ", "[EMAIL] へ"),
        ("x" + "🎁" * 16 + "@example.jp", "[EMAIL]"),
        ("%B4111111111111111^YAMADA/TARO^2512x" + "é" * 70, "[TRACK]" + "é" * 11),
    ],
)
def test_a_sign_of_several_bytes_stays_whole(text: str, expected: str) -> None:
    """A sign of several bytes counts as one and goes whole: half a sign would be no UTF-8, and half a name a name."""
    assert _scrubbed(pa.array([text])).to_pylist() == [expected]


@pytest.mark.parametrize("column_type", [pa.string(), pa.large_string()])
def test_the_type_of_the_column_stays(column_type: pa.DataType) -> None:
    """The masked column has the type that was promised without data."""
    column = pa.array(["4111111111111111", None, "x"], column_type).slice(0, 2)
    scrubbed = _scrubbed(column)
    assert scrubbed.type == ScrubText().output_type(column_type) == column_type
    assert scrubbed.to_pylist() == ["[PAN]", None]


@given(
    st.lists(st.none() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join), max_size=8)
)
def test_what_is_left_passes_the_gate(texts: list[str | None]) -> None:
    """Whatever stood in a text, and however leaks were nested or glued together, the gate finds nothing afterwards."""
    column = pa.array(texts, pa.string())
    scrubbed = _scrubbed(column)
    assert count_leaks(scrubbed) == {}
    assert scrubbed.is_null().equals(column.is_null())
