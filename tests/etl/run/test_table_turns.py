"""Tables take turns: only so many work at once, and what a table waits for is none of its work."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from etl.run.table_turns import Stopwatch, TableTurns
from etl.run.tables import joined_first


def fail() -> None:
    """Fails."""
    raise LookupError


def test_a_stopwatch_leaves_waiting_out() -> None:
    """Only the blocks in which it runs count, a block that fails to its end too."""
    times = iter([10.0, 13.0, 100.0, 104.0])
    watch = Stopwatch(lambda: next(times))
    with watch.running():
        assert watch.seconds == 0
    assert watch.seconds == 3
    with pytest.raises(LookupError), watch.running():
        fail()
    assert watch.seconds == 7


def test_only_so_many_tables_work_at_once() -> None:
    """Of six tables two have a turn at a time, and each gets one."""
    turns, lock, pair = TableTurns("abcdef", 2), threading.Lock(), threading.Barrier(2)
    at_work: set[int] = set()
    seen: list[int] = []

    def work(number: int) -> None:
        with turns.turn():
            with lock:
                at_work.add(number)
                seen.append(len(at_work))
            pair.wait(timeout=10)
            with lock:
                at_work.remove(number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert (len(seen), max(seen)) == (6, 2)


def test_a_table_that_failed_keeps_nobody_waiting() -> None:
    """Who joins a table without a stage, or one that this run does not load, goes on without it."""
    turns = TableTurns(["cards", "members"], 1)
    turns.staged("cards", None)
    assert turns.wait_for(["cards", "elsewhere"]) == {}


def test_joined_tables_come_first() -> None:
    """Whatever the sizes, a table begins after those that it joins, so that few threads suffice for many tables."""
    joins = {"payments": {"cards"}, "cards": {"members"}, "members": set(), "clubs": {"elsewhere"}}
    assert joined_first(["payments", "clubs", "cards", "members"], joins) == ["members", "cards", "payments", "clubs"]


def test_a_circle_of_joins_ends() -> None:
    """Of tables that join each other, each comes once."""
    assert sorted(joined_first(["a", "b", "c"], {"a": {"b"}, "b": {"c"}, "c": {"a"}})) == ["a", "b", "c"]


def test_many_chained_tables_pass_through_few_threads() -> None:
    """A hundred tables, each waiting for the next to be staged, all end with three threads."""
    names = [f"t{number}" for number in range(100)]
    joins = {name: {later} for name, later in zip(names, [*names[1:], "none"], strict=True)}
    turns = TableTurns(names, at_once=2)

    def load(name: str) -> str:
        with turns.turn():
            turns.staged(name, None)
        turns.wait_for(joins[name])
        return name

    with ThreadPoolExecutor(3) as pool:
        assert len(list(pool.map(load, joined_first(names, joins)))) == len(names)
