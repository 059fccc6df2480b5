"""The heartbeat never leaves anybody waiting, whatever a look comes to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etl.errors import RunLost
from etl.source.snapshot import SnapshotLost
from etl.source.throttle.heartbeat import Heartbeat


def beating(look: Callable[[], int]) -> tuple[Heartbeat[int], list[int], list[RunLost]]:
    """Returns a heartbeat that looks when it is asked to, what it heard, and what it lost."""
    heard: list[int] = []
    lost: list[RunLost] = []
    heart = Heartbeat(lambda _stopped: look(), heard.append, lost.append, every=3600)
    heart.start()
    return heart, heard, lost


def test_a_check_waits_for_a_look_of_its_own() -> None:
    """A check returns after a look that began after it was asked for, however long the pauses are."""
    looks = iter(range(10))
    heart, heard, lost = beating(lambda: next(looks))
    heart.check()
    heart.check()
    heart.stop()
    assert heard == [0, 1]
    assert lost == []


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (SnapshotLost("It is gone.", not_done="Nothing."), "It is gone."),
        (ValueError("4111111111111111"), "The heartbeat failed with ValueError."),
    ],
)
def test_what_is_lost_is_told_once_and_to_everybody(failure: Exception, message: str) -> None:
    """A loss, or an unforeseen failure, is reported once; every check raises it, and nothing foreign is quoted."""

    def look() -> int:
        raise failure

    heart, heard, lost = beating(look)
    for _ in range(2):
        with pytest.raises(RunLost, match=message) as raised:
            heart.check()
        assert raised.value.__context__ is None
    heart.stop()
    assert heard == []
    assert [one.what for one in lost] == [message]
