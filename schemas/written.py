"""What contracts and views say in their own words: it is published, so it must hold no card number either."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np

from masking.kernels.buffers import strings_from_matrix
from masking.leaks import MUST_NOT_BE_WRITTEN, count_leaks

_LONG_NUMBER: Final = re.compile(r"(?:\d\W?){12}")
"""As many digits as the shortest number that must not be written, a My Number; a list of numbers has wider gaps."""


def written_problems(texts: Iterable[str], what: str = "a description") -> Iterator[str]:
    """Yields one problem where any of the texts holds what looks like a card number or My Number; none is repeated."""
    if any(_holds_number(text) for text in texts):
        yield f"{what} holds what looks like a card number or My Number, and it would be published"


def texts_in(written: object) -> Iterator[str]:
    """Yields every name, text and number in what a file says, however deep: pages, exports and catalogs show them."""
    if isinstance(written, Mapping):
        for key, value in written.items():
            yield str(key)
            yield from texts_in(value)
    elif isinstance(written, list | tuple | set | frozenset):
        for one in written:
            yield from texts_in(one)
    elif isinstance(written, str | int | float) and not isinstance(written, bool):
        yield f"{written:f}".rstrip("0").rstrip(".") if isinstance(written, float) else str(written)


def _holds_number(text: str) -> bool:
    """Tells whether a text holds one; its column is made from bytes, because making one of Python's values is slow."""
    if not _LONG_NUMBER.search(text):
        return False
    said = np.frombuffer(text.encode(), np.uint8)[np.newaxis]
    return bool(count_leaks(strings_from_matrix(said), MUST_NOT_BE_WRITTEN))
