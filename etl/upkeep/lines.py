"""Lines that a person gives, as the values that a column has: `042` is the number 42, `42.00` the decimal 42."""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa

_WHOLE: Final = re.compile(r"-?[0-9]+")


def as_value(line: str, kind: pa.DataType) -> object:
    """Returns a line as a value of a column's type; None where it is none, or is empty."""
    if not line or (pa.types.is_integer(kind) and not _WHOLE.fullmatch(line)):  # Arrow reads 0x10 as 16
        return None
    try:
        return pa.array([line]).cast(kind)[0].as_py()
    except pa.ArrowException:  # its text quotes the line
        return None
