"""Leases: who may publish a table now. Two runs of one table never overlap, and a killed run blocks nobody for long.

The holder renews while it works and proves that it still holds right before it publishes; `lease_rows.py` knows
the rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from etl.errors import NO_ROW_READ, NOT_PUBLISHED
from etl.ledger.lease_rows import LeaseBook, LeaseHeld, LiveLease
from etl.ledger.ledger import Ledger
from etl.ledger.together import Together
from masking.errors import KagemushaError

_RENEWALS_PER_LIFETIME: Final = 3
"""Renewals per lifetime of a lease; all but one may fail."""
_PROOF_SECONDS: Final = 5.0
"""How long a proof stays valid: the load jobs of one table start shortly after each other."""
_POLL_SECONDS: Final = 1.0


class LeaseProof(Protocol):
    """What publishing asks before it starts a load job."""

    def prove(self, *, anew: bool = False) -> None:
        """Proves that no other run may publish the table now; `anew`, although it was proven a moment ago.

        Raises:
            LeaseHeld: the lease is lost.
        """


class Leases:
    """The leases of one run."""

    def __init__(
        self, book: LeaseBook, seconds: int, held: Mapping[str, LiveLease], others: Mapping[str, LiveLease]
    ) -> None:
        self._book = book
        self._seconds = seconds
        self._held = dict(held)
        self._others = dict(others)
        self._live = Together(book.live)
        self._ended = threading.Event()
        self._beat = threading.Thread(target=self._renew_in_time, name="leases", daemon=True)

    def refusal(self, table: str) -> LeaseHeld | None:
        """Returns the error of a table that another run holds; None where it is ours."""
        other = self._others.get(table)
        return other.refusal(NO_ROW_READ) if other else None

    def fencing_token(self, table: str) -> int | None:
        """Returns the fencing token of a table that is ours, which grows with every new holder; None for the others."""
        mine = self._held.get(table)
        return mine.fence if mine else None

    def of(self, table: str) -> TableLease:
        """Returns the lease of one table, for publishing it."""
        return TableLease(self, table)

    def prove(self, table: str) -> None:
        """Proves that the table is still ours, and will be for long enough to start a load job.

        Raises:
            LeaseHeld: another run took it over, after this one could not renew it in time.
        """
        mine = self._live.ask(table).get(table)
        if mine is None or mine.run_id != self._book.run_id:
            if self._book.renew(self._seconds, [table]):
                return  # it had ended, and nobody had taken it
            raise self._lost(table)
        if mine.left < self._seconds / _RENEWALS_PER_LIFETIME and not self._book.renew(self._seconds, [table]):
            raise self._lost(table)

    def _lost(self, table: str) -> LeaseHeld:
        holder = self._book.live([table]).get(table)
        if holder is not None:
            return holder.refusal(NOT_PUBLISHED)
        return LeaseHeld(f"The lease of {table} was lost to another run.", not_done=NOT_PUBLISHED)

    def start(self) -> None:
        """Begins to renew."""
        if self._held:
            self._beat.start()

    def end(self) -> None:
        """Stops renewing and frees what is held; where that fails, the leases end by themselves."""
        self._ended.set()
        if self._held:
            self._beat.join()
            with suppress(KagemushaError):
                self._book.free(self._book.run_id)

    def _renew_in_time(self) -> None:
        pause = self._seconds / _RENEWALS_PER_LIFETIME
        while not self._ended.wait(pause):
            pause = self._seconds / _RENEWALS_PER_LIFETIME
            try:
                self._book.renew(self._seconds, list(self._held))
            except Exception:  # noqa: BLE001  a thread of ours must not end; what is lost shows before publishing
                pause /= _RENEWALS_PER_LIFETIME


class TableLease:
    """The lease of one table as publishing sees it, from any thread; a proof stays valid for a few seconds."""

    def __init__(self, leases: Leases, table: str) -> None:
        self._leases = leases
        self._table = table
        self._proven = float("-inf")
        self._one_at_a_time = threading.Lock()

    def prove(self, *, anew: bool = False) -> None:
        """See `LeaseProof`."""
        with self._one_at_a_time:
            if not anew and time.monotonic() - self._proven < _PROOF_SECONDS:
                return
            self._leases.prove(self._table)
            self._proven = time.monotonic()


@contextmanager
def leased(
    ledger: Ledger, run_id: str, tables: Sequence[str], seconds: int, wait_seconds: float = 0
) -> Iterator[Leases]:
    """Holds the leases of tables, named as they are published, until the end of the block.

    Args:
        ledger: whose tables exist.
        run_id: of the run that asks.
        tables: dataset.table of each.
        seconds: lifetime of a lease that is not renewed.
        wait_seconds: how long to ask again while others hold all or some of them.

    Raises:
        LeaseHeld: other runs hold all of them. Where they hold some, the rest is ours, and `refusal` says which is not.
    """
    book = LeaseBook(ledger, run_id)
    if not tables:
        yield Leases(book, seconds, {}, {})
        return
    deadline = time.monotonic() + wait_seconds
    while True:
        live = book.take(seconds, tables)
        held = {table: lease for table, lease in live.items() if lease.run_id == run_id}
        others = {table: lease for table, lease in live.items() if lease.run_id != run_id}
        if len(live) < len(set(tables)):
            continue  # one was freed just after this run had asked for it
        if not others or time.monotonic() + _POLL_SECONDS > deadline:
            break
        time.sleep(_POLL_SECONDS)
    if others and not held:
        raise next(iter(others.values())).refusal(NO_ROW_READ)
    leases = Leases(book, seconds, held, others)
    leases.start()
    try:
        yield leases
    finally:
        leases.end()


def all_leases(ledger: Ledger) -> list[LiveLease]:
    """Returns every lease that is held now."""
    return list(LeaseBook(ledger, "").live().values())


def release_leases(ledger: Ledger, run_id: str) -> int:
    """Frees the leases of a run that is known to be dead; returns how many there were."""
    return LeaseBook(ledger, run_id).free(run_id)
