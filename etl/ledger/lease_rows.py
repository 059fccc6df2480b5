"""The rows of `ops.leases`: taken, renewed, freed and read, each by one statement.

A lease is taken by one UPDATE for all tables of a run, because BigQuery refuses one of two UPDATEs that touch a table
at once: the later one runs again and sees what the earlier one did. INSERTs, and a MERGE that only inserts, never
conflict and so decide nothing. Two runs may even both insert a table's first row; a row is therefore free only where
no other row of its table is held. Every instant is BigQuery's, so no clock has to agree with another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from google.cloud import bigquery

from etl.cloud.bigquery import change
from etl.errors import TRANSIENT
from etl.ledger.ledger import Ledger
from masking.errors import KagemushaError


class LeaseHeld(KagemushaError):
    """Another run holds the table, or took it over."""

    advice = (
        "Wait for that run to end. If it was killed, its lease ends by itself; or `kagemusha leases --release RUN`."
    )
    exit_code: ClassVar[int] = TRANSIENT


@dataclass(frozen=True)
class LiveLease:
    """A lease that is held.

    Attributes:
        left: seconds to its end, by BigQuery's clock, when the row was read.
    """

    table: str
    run_id: str
    since: datetime
    until: datetime
    fence: int
    left: float = field(default=0.0, compare=False)

    def refusal(self, not_done: str) -> LeaseHeld:
        """Returns the error that says who holds it."""
        return LeaseHeld(
            f"{self.table} is held by run {self.run_id} since {_clock(self.since)}, until {_clock(self.until)}"
            " unless that run renews it.",
            not_done=not_done,
            where={"lease": self.table, "holder": self.run_id},
        )


class LeaseBook:
    """`ops.leases` as one run uses it."""

    def __init__(self, ledger: Ledger, run_id: str) -> None:
        self.run_id = run_id
        self._ledger = ledger
        self._table = ledger.table_id("leases")

    def take(self, seconds: int, tables: Sequence[str]) -> dict[str, LiveLease]:
        """Takes what is free; returns the leases of all the tables, whoever holds them. Usually two statements."""
        self._claim(seconds, tables)
        live = self.live(tables)
        missing = [table for table in tables if table not in live]
        if missing:  # they have no row yet
            change(
                self._ledger.warehouse,
                "A lease could not be prepared",
                f"INSERT INTO `{self._table}` (table_name, fence) SELECT name, 0 FROM UNNEST(@tables) AS name "
                f"WHERE name NOT IN (SELECT table_name FROM `{self._table}`)",
                tables=missing,
            )
            self._claim(seconds, tables)
            live = self.live(tables)
        return live

    def _claim(self, seconds: int, tables: Sequence[str]) -> None:
        change(
            self._ledger.warehouse,
            "The leases could not be taken",
            f"UPDATE `{self._table}` SET run_id = @run, since = CURRENT_TIMESTAMP(), fence = fence + 1, "
            "until = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL @seconds SECOND) "
            "WHERE table_name IN UNNEST(@tables) AND table_name NOT IN ("
            f"SELECT table_name FROM `{self._table}` WHERE run_id IS NOT NULL AND until > CURRENT_TIMESTAMP())",
            tables=list(tables),
            run=self.run_id,
            seconds=seconds,
        )

    def live(self, tables: Sequence[str] = ()) -> dict[str, LiveLease]:
        """Returns the leases that are held now, of these tables or of all."""
        sql = (
            f"SELECT table_name, run_id, since, until, fence, CURRENT_TIMESTAMP() AS present FROM `{self._table}` "
            "WHERE run_id IS NOT NULL AND until > CURRENT_TIMESTAMP() "
            f"{'AND table_name IN UNNEST(@tables) ' if tables else ''}ORDER BY fence"
        )
        rows = self._ledger.read(sql, tables=list(tables)) if tables else self._ledger.read(sql)
        return {row["table_name"]: _lease(row) for row in rows}

    def renew(self, seconds: int, tables: Sequence[str]) -> int:
        """Moves the end of those leases that are still this run's; returns how many they are."""
        return change(
            self._ledger.warehouse,
            "The leases could not be renewed",
            f"UPDATE `{self._table}` SET until = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL @seconds SECOND) "
            "WHERE run_id = @run AND table_name IN UNNEST(@tables)",
            tables=list(tables),
            run=self.run_id,
            seconds=seconds,
        )

    def free(self, run_id: str) -> int:
        """Frees every lease of a run; returns how many they were."""
        return change(
            self._ledger.warehouse,
            "The leases could not be freed",
            f"UPDATE `{self._table}` SET run_id = NULL, until = CURRENT_TIMESTAMP() WHERE run_id = @run",
            run=run_id,
        )


def _lease(row: bigquery.Row) -> LiveLease:
    return LiveLease(
        table=row["table_name"],
        run_id=row["run_id"],
        since=row["since"],
        until=row["until"],
        fence=int(row["fence"]),
        left=(row["until"] - row["present"]).total_seconds(),
    )


def _clock(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
