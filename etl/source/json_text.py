"""One spelling for JSON, whichever engine it comes from: that of PostgreSQL's `jsonb`.

Keys by length, then by bytes; the last of equal keys; one space after `:` and `,`; numbers exact, without exponent,
with the zeros that were written; text unescaped but for quotes, backslashes and control characters.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final

import pyarrow as pa

_MOST_DIGITS: Final = 1_000


def canonical(documents: pa.Array) -> tuple[pa.Array, int]:
    """Returns JSON texts in the one spelling, and how many have none: no JSON, half of a surrogate pair, or U+0000.

    Args:
        documents: string, length n; nulls stay null, and what has no spelling becomes null.
    """
    texts = [None if text is None else _spelled(text) for text in documents.to_pylist()]
    found = pa.array(texts, pa.string())
    return found, found.null_count - documents.null_count


def _spelled(text: str) -> str | None:
    try:
        spelled = _written(json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse))
        spelled.encode()
    except (ValueError, RecursionError, ArithmeticError):
        return None
    return spelled


def _written(value: object) -> str:
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: (len(member[0].encode()), member[0].encode()))
        return "{" + ", ".join(f"{_written(key)}: {_written(member)}" for key, member in members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(element) for element in value) + "]"
    if isinstance(value, Decimal):
        return f"{abs(value) if value.is_zero() else value:f}"
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("jsonb has no such character")
    return json.dumps(value, ensure_ascii=False)


def _number(literal: str) -> Decimal:
    number = Decimal(literal)
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError("a number of more digits than anybody can read")
    return number


def _refuse(literal: str) -> object:
    del literal
    raise ValueError("JSON has no such number")
