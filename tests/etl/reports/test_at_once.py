"""Many questions at once: answers in order, the first error raised, no more asked after it."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier

import pytest

from etl.reports.facts.at_once import at_once


def test_answers_come_in_the_order_of_the_questions() -> None:
    """Four are asked at the same time, and what comes back stands in their order."""
    together = Barrier(4)

    def answer(number: int) -> int:
        together.wait(10)
        return -number

    assert at_once(answer, range(8), 4) == [0, -1, -2, -3, -4, -5, -6, -7]
    assert at_once(answer, [], 4) == []


def test_the_first_error_ends_it() -> None:
    """After an error nothing more is taken, and the error is raised; so is one of whoever names the items."""
    taken = []

    def refuse(number: int) -> None:
        taken.append(number)
        raise LookupError(number)

    with pytest.raises(LookupError):
        at_once(refuse, range(100), 1)
    assert taken == [0]

    def broken() -> Iterator[int]:
        yield 1
        raise EOFError

    with pytest.raises(EOFError):
        at_once(str, broken(), 3)
