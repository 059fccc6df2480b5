"""What contracts and views say in their own words: it is published, so it must hold no card number either."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from masking.kernels.buffers import strings_from_matrix
from masking.leaks import MUST_NOT_BE_WRITTEN, count_leaks

_BETWEEN: Final = " and "
"""Keeps the digits of one text from those of the next."""


def written_problems(texts: Sequence[str]) -> Iterator[str]:
    """Yields one problem where any of the texts holds what looks like a card number or My Number; none is repeated."""
    said = np.frombuffer(_BETWEEN.join(texts).encode(), np.uint8)  # making a column of Python's values loads pandas
    if said.size and count_leaks(strings_from_matrix(said[np.newaxis]), MUST_NOT_BE_WRITTEN):
        yield "a description holds what looks like a card number or My Number, and it would be published"
