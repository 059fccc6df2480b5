"""Writes what arrives in a window, table by table, in the order in which the tables need each other's rows."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from scripts.issuer.database import Task, connect, file, in_turn, lines, statements, together
from scripts.issuer.population import days
from scripts.issuer.window import BY_HAND, Window

Progress = Callable[[str], None]

_RUNS_A_SESSION = 4  # payments are cut into a few runs of days a session, so that sessions end at about the same time


def write(url: str, window: Window, sessions: int, progress: Progress) -> None:
    """Writes the rows that arrive in a window and, unless it has all history, the changes that older rows undergo."""
    with connect(url) as connection:
        values = window.values(connection)

    def rows(*names: str) -> list[Task]:
        return [file(f"rows/{name}.sql", values) for name in names]

    def changes(*names: str) -> list[Task]:
        return [] if window.history else [file(f"changes/{name}.sql", values) for name in names]

    if window.history:
        in_turn(url, rows("clubs", "card_designs", "admin_users"))
    in_turn(url, [*changes("applications"), *rows("applications")])
    progress("applications")
    together(url, rows("members", "ekyc_documents", "credit_screenings"), sessions)
    in_turn(url, [*rows("cards"), *changes("members", "cards"), _calendar(window), *changes("payments")])
    progress("members, cards")
    together(url, [file("rows/payments.sql", run) for run in _runs(values, window, sessions)], sessions)
    progress("payments")
    together(url, rows("clearings", "payment_notifications", "rewards"), sessions)
    progress("clearings, notifications, rewards")
    in_turn(url, [*rows("bills"), lines(["ANALYZE synth.bills"]), *changes("statements", "delinquencies")])
    together(url, rows("repayments", "statements", "delinquencies"), sessions)
    together(url, rows("statement_notifications", "dunning_contacts"), sessions)
    progress("statements, repayments, delinquencies")


def add_keys(url: str, sessions: int) -> None:
    """Adds keys and indexes, each table's in one session, then the references; and lets the planner know the tables.

    References hold for rows to come; those written here keep them by construction, which is cheaper than proving it.
    """
    by_table: dict[str, list[str]] = {}
    for line in statements("keys.sql"):
        table = next(word for word in line.split() if "." in word)
        by_table.setdefault(table, []).append(line)
    heavy_first = sorted(by_table, key=lambda table: not table.startswith(("ledger", "messaging")))
    together(url, [lines([*by_table[table], f"ANALYZE {table}"]) for table in heavy_first], sessions)
    in_turn(url, [lines(statements("references.sql"))])


def _calendar(window: Window) -> Task:
    """Notes each day of the window with its payments and the cards that existed before it."""
    people = window.population
    noted = [
        (day, day, people.payments_before(day) + 1, people.payments_on(day)) for day in days(window.start, window.end)
    ]

    def note(connection: psycopg.Connection) -> None:
        columns = "day, starts, first_payment, payments"
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO synth.days ({columns}) VALUES (%s, %s::date::timestamptz, %s, %s)", noted)
        cards = "SELECT count(*) FROM issuing.cards WHERE issued_at < starts AND card_id < %s"
        connection.execute(f"UPDATE synth.days SET cards = ({cards}) WHERE cards IS NULL", [BY_HAND])
        connection.execute("ANALYZE issuing.cards, issuing.members, synth.days, synth.merchants")

    return note


def _runs(values: dict[str, object], window: Window, sessions: int) -> list[dict[str, object]]:
    every = days(*window.payment_days)
    size = -(-len(every) // (sessions * _RUNS_A_SESSION))
    starts = range(0, len(every), size)
    return [{**values, "days_from": every[n], "days_to": every[n : n + size][-1]} for n in starts]
