"""Wishes of many threads are served by few requests, each by a later one; where in doubt, nothing is asked twice."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from etl.errors import NOT_PUBLISHED, PublishFailed, PublishRefused
from etl.ledger.together import Together
from scripts.local_stack.processes import wait_until

_PATIENCE = 10


class Server:
    """Answers a request with its number once it may, and remembers who was served by it."""

    def __init__(self, failures: Sequence[Exception | None] = ()) -> None:
        self.requests: list[list[str]] = []
        self.may_answer = threading.Event()
        self._failures = list(failures)

    def serve(self, wishes: Sequence[str]) -> int:
        """Answers, or raises what is next."""
        self.requests.append(list(wishes))
        number = len(self.requests)
        assert self.may_answer.wait(_PATIENCE)
        failure = self._failures.pop(0) if self._failures else None
        if failure:
            raise failure
        return number


def waiting(together: Together[str, int]) -> int:
    """Returns how many wishes wait for the next request."""
    return len(together._waiting)


def asked_while_one_is_served(server: Server, wishes: Sequence[str]) -> list[int | Exception]:
    """Asks for one thing, and for the rest while that is being served; returns what each came to."""
    together = Together(server.serve)

    def outcome(wish: str) -> int | Exception:
        try:
            return together.ask(wish)
        except (PublishFailed, PublishRefused) as error:
            return error

    with ThreadPoolExecutor(len(wishes)) as pool:
        first = pool.submit(outcome, wishes[0])
        assert wait_until(lambda: bool(server.requests), _PATIENCE)
        others = [pool.submit(outcome, wish) for wish in wishes[1:]]
        assert wait_until(lambda: waiting(together) == len(wishes) - 1, _PATIENCE)
        server.may_answer.set()
        return [one.result() for one in (first, *others)]


def test_those_who_wait_are_served_together_and_by_a_request_that_began_later() -> None:
    """The first is asked for at once; three that come meanwhile are not answered by it, but by one request for all."""
    server = Server()
    assert asked_while_one_is_served(server, ["a", "b", "c", "d"]) == [1, 2, 2, 2]
    assert [sorted(one) for one in server.requests] == [["a"], ["b", "c", "d"]]


def test_a_refused_request_for_many_is_made_for_each() -> None:
    """One wish may be the reason, so the others are served alone, and only that one fails."""
    refused = PublishRefused("No.", not_done=NOT_PUBLISHED)
    server = Server([None, refused, None, refused])
    outcomes = asked_while_one_is_served(server, ["a", "b", "c"])
    assert len(server.requests) == 4
    assert sorted(isinstance(one, PublishRefused) for one in outcomes) == [False, False, True]


def test_after_any_other_failure_nothing_is_asked_twice() -> None:
    """A request whose outcome nobody knows may have been done: all that it was made for fail with it."""
    server = Server([None, PublishFailed("Silence.", not_done=NOT_PUBLISHED)])
    outcomes = asked_while_one_is_served(server, ["a", "b", "c"])
    assert len(server.requests) == 2
    assert [isinstance(one, PublishFailed) for one in outcomes] == [False, True, True]


def test_what_nobody_foresaw_reaches_who_asked() -> None:
    """Any exception of the request is raised where it was asked for, and the next wish is served."""
    server = Server([ValueError("unforeseen")])
    server.may_answer.set()
    together = Together(server.serve)
    with pytest.raises(ValueError, match="unforeseen"):
        together.ask("a")
    assert together.ask("b") == 2
