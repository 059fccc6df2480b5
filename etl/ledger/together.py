"""What several tables want of BigQuery at the same moment is asked once: the next request serves all that wait for it.

Where nobody else asks, one asks alone and at once. Nobody is answered by a request that began before he asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from etl.errors import PublishRefused

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """Serves the wishes of many threads by few requests, one request at a time.

    Args:
        serve: makes one request for several wishes, and returns the answer to all of them.
    """

    def __init__(self, serve: Callable[[Sequence[Asked]], Answer]) -> None:
        self._serve = serve
        self._waiting: list[tuple[Asked, Future[Answer]]] = []
        self._guard = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def ask(self, wish: Asked) -> Answer:
        """Returns the answer of a request that began after this call, or raises what that request raised.

        A request for many that is refused is made again for each alone: one wish may be the reason. After any other
        failure nobody knows what came of it, so nothing is asked twice.
        """
        answer: Future[Answer] = Future()
        with self._guard:
            self._waiting.append((wish, answer))
        with self._one_at_a_time:
            if not answer.done():
                self._serve_all()
        return answer.result()

    def _serve_all(self) -> None:
        with self._guard:
            served, self._waiting = self._waiting, []
        failure = self._served(served)
        if failure is None:
            return
        for one in served:
            own = self._served([one]) if len(served) > 1 and isinstance(failure, PublishRefused) else failure
            if own is not None:
                one[1].set_exception(own)

    def _served(self, wishes: Sequence[tuple[Asked, Future[Answer]]]) -> Exception | None:
        """Serves wishes by one request; returns its failure, which has answered none of them."""
        try:
            found = self._serve([wish for wish, _ in wishes])
        except Exception as error:  # noqa: BLE001  whoever asked raises it
            return error
        for _, answer in wishes:
            answer.set_result(found)
        return None
