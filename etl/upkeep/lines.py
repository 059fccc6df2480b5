"""Lines that a person gives, and the values that they are: `042` is the number 42, `42.00` the decimal 42."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa

from etl.errors import SettingsInvalid

_WHOLE: Final = re.compile(r"-?[0-9]+")
_MARK: Final = "\ufeff"
"""What some editors put before the first line of a file; it is no part of it (Unicode Standard, section 23.8)."""


def given(lines: Iterable[str], not_done: str) -> Iterator[str]:
    """Yields lines without what stands around them: blanks, line ends, a byte order mark before the first.

    Raises:
        SettingsInvalid: they are no text in UTF-8; `not_done` says what did not happen.
    """
    readable = True
    try:
        for at, line in enumerate(lines):
            line.encode()  # what cannot be read may come as halves of characters
            yield (line if at else line.removeprefix(_MARK)).strip()
    except UnicodeError:  # its text quotes the line
        readable = False
    if not readable:
        raise SettingsInvalid("The lines are no text in UTF-8.", not_done=not_done, advice="Convert them to UTF-8.")


def as_value(line: str, kind: pa.DataType) -> object:
    """Returns a line as a value of a column's type; None where it is none, or is empty."""
    if not line or (pa.types.is_integer(kind) and not _WHOLE.fullmatch(line)):  # Arrow reads 0x10 as 16
        return None
    try:
        return pa.array([line]).cast(kind)[0].as_py()
    except pa.ArrowException:  # its text quotes the line
        return None
