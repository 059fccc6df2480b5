"""Columns are told by what most of their values look like; counts only."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest

from masking.policy import ColumnClass
from masking.value_shapes import count_looks, mostly, nearly_all


@pytest.mark.parametrize(
    ("values", "column_class"),
    [
        (["4111111111111111", "5555-5555-5555-4444", "４１１１１１１１１１１１１１１１"], "pan"),
        (["123456789018", "1234 5678 9018"], "national_id"),
        (["a@example.com", "B.C@example.co.jp"], "email"),
        (["090-1234-5678", "+81 3 1234 5678", "0312345678"], "phone"),
        (["山田 太郎", "佐藤花子", "渡辺　謙"], "person_name"),
        (["ﾔﾏﾀﾞ ﾀﾛｳ", "サトウ ハナコ", "やまだ たろう"], "person_name"),
        (["TARO YAMADA", "Hanako Sato", "SHINICHI MATSUDA"], "person_name"),
        (["150-0001", "〒1500001"], "postal_code"),
        (["東京都渋谷区神南1-1-1", "〒060-0001 北海道札幌市中央区"], "address"),
        (["1990-01-02", "19850304", "1979年7月1日"], "birth_date"),
        (["192.0.2.1", "2001:db8::1"], "ip_address"),
        (["called 090-1234-5678", "no answer", "later", "paid"], "free_text"),
    ],
)
def test_values_tell_their_class(values: list[str], column_class: str) -> None:
    """Half of the values decide; fewer make the column free text."""
    looks = count_looks(pa.array(values))
    assert mostly(looks, len(values)) == column_class


@pytest.mark.parametrize(
    "values",
    [["approved", "declined"], ["スターバックス 渋谷"], ["COFFEE SHOP"], ["2023-08"], [None], []],
)
def test_codes_and_things_look_like_nobody(values: list[str | None]) -> None:
    """Codes, shops, tokens and months count as nothing; NULL and empty columns too."""
    assert mostly(count_looks(pa.array(values, pa.string())), len(values)) is None


def test_counts_are_of_rows() -> None:
    """Each row counts once for a class, however many values it holds."""
    looks = count_looks(pa.array(["a@example.com b@example.com", None, "山田 太郎"]))
    assert looks == {ColumnClass.EMAIL: 1, ColumnClass.PERSON_NAME: 1}


@pytest.mark.parametrize(
    ("rows", "told", "sure"),
    [
        (902, "phone", True),
        (857, "phone", True),
        (856, "phone", False),
        (451, "phone", False),
        (450, "free_text", False),
        (46, "free_text", False),
        (45, None, False),
        (5, None, False),
    ],
)
def test_a_few_values_tell_nothing_and_nearly_all_are_sure(rows: int, told: str | None, sure: bool) -> None:  # noqa: FBT001
    """Of 902 amounts five look like something by chance; from 95 of 100 on a column is sure."""
    looks = Counter({ColumnClass.PHONE: rows})
    assert mostly(looks, 902) == told
    assert nearly_all(looks, 902) is sure
    assert nearly_all(Counter(), 902) is False
