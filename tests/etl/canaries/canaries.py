"""Canaries: values that must not get out, made so that a searcher can tell them from everything else.

Card numbers begin with the first eight digits
of the brands' published test numbers that the made-up issuer does not use; people, places and phones do not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count, cycle
from typing import Any, Final

from masking.policy import ColumnClass
from masking.strategies import AnyStrategy, JsonFields
from schemas.columns import Column

KANJI, KANA, ROMAN = "龘龗", "ヱヷヸ", "QZXKAGE"
BIRTHDAY = date(1931, 7, 19)
POSTAL_CODE = "987-6543"
ADDRESSES = ("203.0.113.77", "2001:db8:cafe:77::1")  # RFC 5737, RFC 3849
UUID = "ca4a51e5-0dd1-4bad-8bad-"
MARKERS: Final = frozenset(
    {
        *(KANJI, KANA, ROMAN, POSTAL_CODE, *ADDRESSES, UUID, UUID.replace("-", "")),
        *(BIRTHDAY.strftime(form) for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")),
    }
)
_ISSUERS: Final = cycle((("60111111", 16), ("62000000", 16), ("37828224", 15), ("22230031", 16), ("30569309", 14)))
_PLAIN_ONLY: Final = {"fpe", "tokenize", "pseudonymize"}  # they take a value as it is spelled, and refuse a strange one
_SURE_TO_LEAVE: Final = {"drop", "null", "redact"}
_WIDE: Final = {ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"}

SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda number: number,
    lambda number: " ".join(_fours(number)),
    lambda number: "-".join(_fours(number)),
    lambda number: number.translate(_WIDE),
    lambda number: "\u00a0".join(_fours(number)),
    lambda number: "－".join(_fours(number.translate(_WIDE))),
)
"""Plain, spaced, hyphenated, full width, with no-break spaces, and full width with full-width hyphens."""


def hyphenated(phone: str) -> str:
    """Returns a mobile number as people write it."""
    return f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"


def _fours(number: str) -> list[str]:
    return [number[start : start + 4] for start in range(0, len(number), 4)]


@dataclass
class Canaries:
    """Makes canaries and remembers the digits of those that are numbers."""

    numbers: set[str] = field(default_factory=set)
    _counter: Iterator[int] = field(default_factory=lambda: count(1))

    def card_number(self) -> str:
        """A test card number that passes Luhn."""
        prefix, length = next(_ISSUERS)
        body = f"{prefix}{next(self._counter) * 7_919 % 10 ** (length - 9):0{length - 9}}"
        doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
        return self._number(f"{body}{-sum(value // 10 + value % 10 for value in doubled) % 10}")

    def my_number(self) -> str:
        """A twelve-digit number with My Number's check digit."""
        body = f"{13_579_000_000 + next(self._counter) * 104_729:011}"
        weighed = sum(
            int(digit) * weight for digit, weight in zip(body, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)
        )
        return self._number(f"{body}{0 if weighed % 11 <= 1 else 11 - weighed % 11}")

    def phone(self) -> str:
        """A Japanese mobile number of a block that nobody has."""
        number = f"0900{next(self._counter) * 7_919 % 10**7:07}"
        self._number(f"81{number[1:]}")
        return self._number(number)

    def identifier(self) -> int:
        """A number of fifteen digits."""
        return int(self._number(f"{731_000_000_000_000 + next(self._counter) * 6_700_417}"))

    def text(self, length: int | None = None) -> str:
        """A name in three scripts; the two characters that mark it come first, so that any length keeps them."""
        return f"{KANJI}{next(self._counter)}{KANA} {ROMAN} 平次"[:length]

    def email(self) -> tuple[str, str]:
        """An address at a public provider and one at a domain of its own."""
        return f"qzxkage.{next(self._counter)}@gmail.com", f"Taro+{next(self._counter)}@{ROMAN}.example.jp"

    def uuid(self) -> str:
        """A key that can be told from all others."""
        return f"{UUID}{next(self._counter):012}"

    def note(self, spell: Callable[[str], str], *, people: bool) -> str:
        """A text into which somebody typed what should not be there."""
        parts = [
            f"お客様カード番号は{spell(self.card_number())}です。",
            f"連絡先 {self.email()[0]} / {hyphenated(self.phone())}",
            f"マイナンバー{self.my_number()}",
        ]
        if people:
            parts += [f"氏名 {self.text()}", f"CVV2 {KANJI}7", f"生年月日 {BIRTHDAY}", f"東京都千代田区{KANJI}町1-2-3"]
        return "。".join(parts)

    def _number(self, digits: str) -> str:
        self.numbers.add(digits)
        return digits

    def for_column(self, column: Column, length: int | None) -> list[Any]:  # Any: as many types as columns have
        """Returns canaries for a column, one a row: as many spellings as its strategy takes and its length holds.

        A column whose class is `none` gets none.
        """
        made = _BY_TYPE.get(column.type.name, _BY_CLASS.get(column.column_class, _nothing))(self, column, length)
        return [one for one in made if not isinstance(one, str) or length is None or len(one) <= length]


def _nothing(canaries: Canaries, column: Column, length: int | None) -> list[Any]:
    del canaries, length
    assert column.column_class == ColumnClass.NONE, f"no canary is known for class {column.column_class}"
    return []


def _cards(canaries: Canaries, column: Column, length: int | None) -> list[Any]:
    del length
    spellings = SPELLINGS[:1] if column.mask.strategy in _PLAIN_ONLY else SPELLINGS
    return [spell(canaries.card_number()) for spell in spellings for _ in range(2)]


def _texts(canaries: Canaries, column: Column, length: int | None) -> list[Any]:
    del column
    return [canaries.text(length)]


def _notes(canaries: Canaries, column: Column, length: int | None) -> list[Any]:
    del length
    people = column.mask.strategy in _SURE_TO_LEAVE
    return [canaries.note(spell, people=people) for spell in SPELLINGS]


def _documents(canaries: Canaries, column: Column, length: int | None) -> list[Any]:
    del length
    if column.column_class == ColumnClass.NONE:
        return []
    named = column.mask.fields if isinstance(column.mask, JsonFields) else {}
    return [
        {
            **{
                path: _field(canaries, mask)
                for path, mask in named.items()
                if mask.strategy != "keep" and "." not in path
            },
            "canary": {
                "pan": spell(canaries.card_number()),
                "number": int(canaries.card_number()),
                "notes": [canaries.text(), canaries.note(spell, people=True)],
            },
        }
        for spell in SPELLINGS
    ]


def _field(canaries: Canaries, mask: AnyStrategy) -> str:
    return {"email_domain": canaries.email()[0], "generalize_date": str(BIRTHDAY)}[mask.strategy]


def _phones(canaries: Canaries, column: Column, length: int | None) -> list[Any]:
    del column, length
    plain, hyphens, abroad, wide = (canaries.phone() for _ in range(4))
    return [
        plain,
        hyphenated(hyphens),
        f"+81 {abroad[1:3]} {abroad[3:7]} {abroad[7:]}",
        wide.translate(_WIDE),
    ]


def _accounts(canaries: Canaries, column: Column, length: int | None) -> list[Any]:
    if column.mask.strategy == "partial":
        return [f"9911{canaries.text(None if length is None else length - 4)}"]
    return [canaries.text(length)]


_BY_CLASS: Final[dict[ColumnClass, Callable[[Canaries, Column, int | None], list[Any]]]] = {
    ColumnClass.PAN: _cards,
    ColumnClass.SENSITIVE_AUTHENTICATION: _texts,
    ColumnClass.NATIONAL_ID: lambda canaries, *_: [canaries.my_number(), canaries.my_number().translate(_WIDE)],
    ColumnClass.PERSON_NAME: _texts,
    ColumnClass.CARD_EXPIRY: _texts,
    ColumnClass.SERVICE_CODE: _texts,
    ColumnClass.BIRTH_DATE: lambda *_: [BIRTHDAY],
    ColumnClass.ADDRESS: lambda canaries, *_: [f"東京都千代田区{KANJI}町{canaries.text()}"],
    ColumnClass.POSTAL_CODE: lambda *_: [POSTAL_CODE],
    ColumnClass.PHONE: _phones,
    ColumnClass.EMAIL: lambda canaries, *_: list(canaries.email()),
    ColumnClass.ACCOUNT_NUMBER: _accounts,
    ColumnClass.FREE_TEXT: _notes,
    ColumnClass.IP_ADDRESS: lambda *_: list(ADDRESSES),
    ColumnClass.IDENTIFIER: _texts,
}
_BY_TYPE: Final[dict[str, Callable[[Canaries, Column, int | None], list[Any]]]] = {
    "bytes": lambda canaries, *_: [canaries.text().encode()],
    "json": _documents,
    "int64": lambda canaries, column, _: [canaries.identifier()] if column.column_class != ColumnClass.NONE else [],
    "bool": lambda *_: [],
    "timestamp": _nothing,
}
