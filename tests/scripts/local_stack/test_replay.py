"""What waits for the standby waits for what was committed, and for nothing else."""

from __future__ import annotations

from typing import Final

import psycopg

from scripts.local_stack.local_stack import Endpoints
from scripts.local_stack.processes import wait_until
from scripts.local_stack.replay import has_replayed, written

PAGE: Final = 8192
"""Bytes of a page of the write-ahead log; a header begins each."""

ALIGNMENT: Final = 8
PATIENCE_SECONDS: Final = 30


def position(primary: psycopg.Connection[tuple[object, ...]], sql: str) -> int:
    """Asks for a position; returns it as a number of bytes."""
    row = primary.execute(f"SELECT ({sql} - '0/0'::pg_lsn)::bigint".encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


def fill_the_page(primary: psycopg.Connection[tuple[object, ...]]) -> None:
    """Writes records until the last one ends where its page does."""
    for _ in range(100):
        begin = position(primary, "pg_current_wal_insert_lsn()")
        left = PAGE - begin % PAGE
        probe = position(primary, "pg_logical_emit_message(false, 'fill', '')") - begin
        room = left - 2 * probe
        if ALIGNMENT < room < PAGE - 100:
            primary.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', %s))", (room,))
        if position(primary, "pg_current_wal_insert_lsn()") % PAGE <= 40:  # the header of the next
            return
    raise AssertionError("no record ended with its page")


def test_a_standby_reaches_what_was_written_wherever_a_page_ends(stack: Endpoints) -> None:
    """The position is one that a standby replays, also when the last record ended exactly where its page does."""
    with (
        psycopg.connect(stack.primary_url, autocommit=True) as primary,
        psycopg.connect(stack.source_url, autocommit=True) as standby,
    ):
        fill_the_page(primary)
        reached = has_replayed(written(primary)).encode()
        assert wait_until(lambda: standby.execute(reached).fetchone() == (True,), PATIENCE_SECONDS)


def test_what_was_committed_before_is_there(stack: Endpoints) -> None:
    """A table made before the position is on the standby once that is replayed, also where commits do not wait."""
    with (
        psycopg.connect(stack.primary_url, autocommit=True) as primary,
        psycopg.connect(stack.source_url, autocommit=True) as standby,
    ):
        primary.execute("SET synchronous_commit = off")
        primary.execute("CREATE TABLE public.arrived (id int)")
        try:
            reached = has_replayed(written(primary)).encode()
            assert wait_until(lambda: standby.execute(reached).fetchone() == (True,), PATIENCE_SECONDS)
            assert standby.execute("SELECT to_regclass('public.arrived') IS NOT NULL").fetchone() == (True,)
        finally:
            primary.execute("DROP TABLE public.arrived")
