"""Pauses between tries grow, differ, and end; what may pass is tried again, and nothing else is."""

from __future__ import annotations

import time
from itertools import islice, pairwise

import pytest

from etl import retries
from etl.errors import PublishFailed, PublishRefused
from etl.retries import TRIES, pauses, retry_transient
from masking.errors import KagemushaError


@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_pauses_grow_and_differ(factor: float) -> None:
    """Each turn is `factor` times as long as the one before; a pause is half to one and a half times its turn."""
    turns = [factor**number for number in range(12)]
    found = list(islice(pauses(1.0, factor=factor), 12))
    assert all(0.5 <= pause / turn <= 1.5 for pause, turn in zip(found, turns, strict=True))
    assert len({round(pause / turn, 6) for pause, turn in zip(found, turns, strict=True)}) > 1
    assert all(found[number + 3] > pause for number, pause in enumerate(found[:-3]))


def test_pauses_stop_growing_at_the_longest() -> None:
    """With a longest turn no pause is longer than half as much again."""
    found = list(islice(pauses(1.0, 4.0), 20))
    assert max(found) <= 6.0
    assert min(found[2:]) >= 2.0


def test_no_turn_ends_after_the_deadline() -> None:
    """Turns end when the next one would be too late; the first one, too."""
    now = time.monotonic()
    assert len(list(islice(pauses(1.0, deadline=now + 3600), 99))) == 12  # a turn of 2^11 s fits an hour, 2^12 do not
    assert list(pauses(1.0, deadline=now - 1)) == []
    assert list(pauses(60.0, deadline=now + 30)) == []


def test_a_first_pause_of_nothing_stays_nothing() -> None:
    """Tests try again at once."""
    assert list(islice(pauses(0.0), 5)) == [0.0] * 5


@pytest.mark.parametrize(("kind", "tries"), [(PublishFailed, TRIES), (PublishRefused, 1)])
def test_only_what_may_pass_is_tried_again(
    kind: type[KagemushaError], tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transient failure is tried again a few times, after pauses; one that a person must mend is not."""
    slept: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", slept.append)
    done = []

    def once() -> None:
        done.append(1)
        raise kind("It failed.", not_done="Nothing was done.")

    with pytest.raises(kind):
        retry_transient(once)
    assert len(done) == tries
    assert len(slept) == tries - 1
    assert all(later > sooner for sooner, later in pairwise(slept))
