"""Tells when a standby has what its primary has committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from scripts.local_stack.processes import wait_until


def written(primary: psycopg.Connection[Any]) -> str:
    """Returns a position of the write-ahead log behind everything that is committed so far.

    The position is the end of a small record of our own, committed and flushed, hence sent. The server's insert
    position is none: it stands behind the header of a page that is not begun, and a standby replays no such place
    until something else is written; it may also name bytes that nothing flushes.
    """
    with primary.transaction():
        primary.execute("SET LOCAL synchronous_commit = on")
        row = primary.execute("SELECT pg_logical_emit_message(true, 'written', '')::text").fetchone()
    return str(row[0]) if row else "0/0"


def follows(primary: psycopg.Connection[Any], ask: Callable[[str], object], seconds: float) -> bool:
    """Waits until a standby has all that is committed so far; tells whether it had within some seconds.

    Args:
        primary: a session on it.
        ask: puts a question to the standby, and returns the one value of its answer.
        seconds: the longest wait.
    """
    question = has_replayed(written(primary))
    return wait_until(lambda: ask(question) is True, seconds)


def answer(url: str, question: str) -> object:
    """Asks a server in a session of its own, and returns the one value of its answer."""
    with psycopg.connect(url, autocommit=True) as connection:
        return (connection.execute(question.encode()).fetchone() or (None,))[0]


def has_replayed(position: str) -> str:
    """Returns the question for the standby: has it replayed up to this position?"""
    return f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
