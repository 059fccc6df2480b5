"""Errors say what, what not, what to do, where; they pickle; and they know their exit code."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper

import pytest

import etl
from etl import errors
from etl.entry import guarded
from etl.stage.leak_gate import LeakFound
from masking.errors import KagemushaError


def kinds_of(kind: type[KagemushaError]) -> Iterator[type[KagemushaError]]:
    """Yields every kind of an error that has been defined, this one included."""
    yield kind
    for narrower in kind.__subclasses__():
        yield from kinds_of(narrower)


for module in pkgutil.walk_packages(etl.__path__, "etl."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
ALL = sorted(set(kinds_of(KagemushaError)), key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", ALL)
def test_errors_survive_spark(kind: type[KagemushaError]) -> None:
    """An error that crossed from a worker to the driver says the same and keeps its type, place and exit code."""
    error = kind("3 values are odd.", not_done="Nothing was read.", where={"table": "cards"}).at(slice=4, table="other")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.exit_code == error.exit_code in {1, 2, 3}
    assert copy.where == {"slice": "4", "table": "cards"}


def test_every_error_has_a_name_of_its_own() -> None:
    """The name tells which error it is: the ledger keeps nothing else of a failed load."""
    assert len({kind.__name__ for kind in ALL}) == len(ALL) > 50


def test_an_error_reads_as_promised() -> None:
    """First line: what, and what did not happen. Second: what to do, and where."""
    error = LeakFound("3 values of memo look like card numbers.", not_done=errors.NOT_PUBLISHED, where={"slice": 4})
    assert str(error) == (
        "3 values of memo look like card numbers. "
        "The table was not published; what was published before still serves.\n"
        "  Give the column the class of what it holds, or declare its `format`; masking/POLICY.md tells both."
        "  [slice=4]"
    )


def test_a_result_is_printed_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters that the locale lacks are spelled out: what is done does not end as a failure to print it."""
    printed = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(printed, encoding="ascii", write_through=True))
    assert guarded(lambda: sys.stdout.write("━ 支払")) == len("━ 支払")
    assert printed.getvalue() == b"\\u2501 \\u652f\\u6255"
