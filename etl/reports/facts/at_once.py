"""Asks many things at once, in threads that end with the process: whoever waits no longer need not wait at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock, Thread
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def at_once(work: Callable[[Item], Found], items: Iterable[Item], most: int) -> list[Found]:
    """Returns what comes of each item, in their order; the first error ends it, and is raised.

    A pool of `concurrent.futures` would keep the interpreter from ending as long as one of its requests hangs.

    Args:
        work: what is done with an item, in several threads.
        items: taken one after another, each when a thread is free.
        most: so many threads.
    """
    waiting, taking = enumerate(items), Lock()
    found: dict[int, Found] = {}
    failures: list[Exception] = []

    def take() -> tuple[int, Item] | None:
        with taking:
            return None if failures else next(waiting, None)

    def turn() -> None:
        try:
            while (taken := take()) is not None:
                found[taken[0]] = work(taken[1])
        except Exception as failure:  # noqa: BLE001  raised again where it is waited for
            failures.append(failure)

    threads = [Thread(target=turn, daemon=True) for _ in range(most)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [found[place] for place in sorted(found)]
