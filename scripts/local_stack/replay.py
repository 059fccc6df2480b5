"""Tells when a standby has what its primary has committed."""

from __future__ import annotations

from typing import Any

import psycopg


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


def has_replayed(position: str) -> str:
    """Returns the question for the standby: has it replayed up to this position?"""
    return f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
