"""Shows a contract's masks at work on made-up values of each column's class, under a key that everybody may know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from masking.errors import KagemushaError
from masking.examples import EXAMPLE_DAY, example_keyring
from masking.policy import ColumnClass
from masking.strategies import JsonFields, MaskContext
from schemas.columns import Column
from schemas.contract import Contract

NOT_READ: Final = "(not read)"
REFUSED: Final = "(cannot be masked)"
NULL: Final = "NULL"

_CARD: Final = "4111111111111111"
_TEXTS: Final = {
    ColumnClass.SENSITIVE_AUTHENTICATION: "123",
    ColumnClass.PAN: _CARD,
    ColumnClass.NATIONAL_ID: "1234-5678-9018",
    ColumnClass.PERSON_NAME: "架空 花子",
    ColumnClass.CARD_EXPIRY: "2029-12",
    ColumnClass.SERVICE_CODE: "201",
    ColumnClass.BIRTH_DATE: "1990-04-01",
    ColumnClass.ADDRESS: "東京都千代田区架空町1-2-3",
    ColumnClass.POSTAL_CODE: "100-0000",
    ColumnClass.PHONE: "090-0000-1234",
    ColumnClass.EMAIL: "hanako@example.jp",
    ColumnClass.ACCOUNT_NUMBER: "0012345",
    ColumnClass.FREE_TEXT: f"カード {_CARD}、連絡先 hanako@example.jp",
    ColumnClass.IP_ADDRESS: "203.0.113.9",
    ColumnClass.IDENTIFIER: "A-1042",
    ColumnClass.NONE: "code_a",
}
"""Made-up values; the card number is a test number, addresses and domains are reserved for examples."""

_NUMBERS: Final = {ColumnClass.PAN: int(_CARD), ColumnClass.NATIONAL_ID: 123456789018, ColumnClass.PHONE: 9000001234}
_MOMENT: Final = datetime(2023, 8, 31, 6, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    """One column, or one field of a document, before and after; values are made up."""

    column: str
    column_class: str
    strategy: str
    before: str
    after: str


def preview(contract: Contract) -> tuple[Shown, ...]:
    """Returns every column's made-up value and what its mask makes of it, in the contract's order."""
    batch = {column.publish_as or name: _made_up_column(column) for name, column in contract.columns.items()}
    given = MaskContext(example_keyring(), EXAMPLE_DAY, batch)
    return tuple(
        shown for name, column in contract.columns.items() for shown in _shown(column.publish_as or name, column, given)
    )


def made_up(column_class: ColumnClass, kind: str, scale: int = 0) -> object:
    """Returns a made-up value of a class as a Python value that fits the contract type of that name."""
    number = _NUMBERS.get(column_class, 1042)
    born = column_class is ColumnClass.BIRTH_DATE
    values: dict[str, object] = {
        "string": _TEXTS[column_class],
        "json": json.dumps({"text": _TEXTS[column_class], "number": number}, ensure_ascii=False),
        "bytes": _TEXTS[column_class].encode(),
        "int64": number,
        "float64": 10.42,
        "numeric": Decimal(number).scaleb(-scale),
        "bool": True,
        "date": date(1990, 4, 1) if born else _MOMENT.date(),
        "timestamp": _MOMENT,
        "datetime": _MOMENT.replace(tzinfo=None),
    }
    return values[kind]


def _made_up_column(column: Column) -> pa.Array:
    """Returns a column of one made-up value; a document has a value for each field of its mask, and one more."""
    if isinstance(column.mask, JsonFields):
        return pa.array([_document(column.mask)], column.type.arrow)
    return pa.array([made_up(column.column_class, column.type.name, column.type.scale)], column.type.arrow)


def _document(mask: JsonFields) -> str:
    """Returns a document with a value for each named field that its strategy knows, and an unnamed field."""
    document: dict[str, Any] = {"unnamed": _TEXTS[ColumnClass.FREE_TEXT]}
    for path, strategy in mask.fields.items():
        place = document
        *parents, last = path.split(".")
        for parent in parents:
            name = parent.removesuffix("[]")
            inner = place.setdefault(name, [{}] if name != parent else {})
            place = inner[0] if isinstance(inner, list) else inner
        value = strategy.examples[0].rows[0][0]
        name = last.removesuffix("[]")
        place[name] = [value] if name != last else value
    return json.dumps(document, ensure_ascii=False, default=str)


def _shown(name: str, column: Column, given: MaskContext) -> Iterator[Shown]:
    about = (name, column.column_class.value, column.mask.strategy)
    before = given.columns[name]
    if column.dropped:
        yield Shown(*about, _text(before), NOT_READ)
        return
    try:
        masked = column.mask.mask(before, given)
    except KagemushaError:
        yield Shown(*about, _text(before), REFUSED)
        return
    refused = masked.invalid is not None and bool(masked.invalid[0])
    yield Shown(*about, _text(before), REFUSED if refused else _text(masked.values))


def _text(values: pa.Array) -> str:
    value = values[0].as_py()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return NULL if value is None else str(value)
