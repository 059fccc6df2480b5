"""Errors say what, what not, what to do, where; they pickle; and they know their exit code."""

from __future__ import annotations

import pickle

import pytest

from etl import errors
from masking.errors import KagemushaError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KagemushaError)]


@pytest.mark.parametrize("kind", ALL)
def test_errors_survive_spark(kind: type[KagemushaError]) -> None:
    """An error that crossed from a worker to the driver says the same and keeps its type, place and exit code."""
    error = kind("3 values are odd.", not_done="Nothing was read.", where={"table": "cards"}).at(slice=4, table="other")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.exit_code == error.exit_code in {1, 2, 3}
    assert copy.where == {"slice": "4", "table": "cards"}


def test_an_error_reads_as_promised() -> None:
    """First line: what, and what did not happen. Second: what to do, and where."""
    error = errors.LeakFound(
        "3 values of memo look like card numbers.", not_done=errors.NOT_PUBLISHED, where={"slice": 4}
    )
    assert str(error) == (
        "3 values of memo look like card numbers. "
        "The table was not published; what was published before still serves.\n"
        "  Use scrub_text or drop.  [slice=4]"
    )
