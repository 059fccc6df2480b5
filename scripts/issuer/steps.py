"""Writes what arrives in a window, table by table, in the order in which the tables need each other's rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import psycopg

from scripts.issuer.database import Task, connect, file, in_one, in_turn, lines, statements, together
from scripts.issuer.population import days
from scripts.issuer.window import BY_HAND, Window

Progress = Callable[[str], None]

_CARDS_BEFORE = """
UPDATE synth.days AS d SET cards = counted.cards
FROM (SELECT days.day, coalesce(sum(k.cards), 0) AS cards
      FROM synth.days
      LEFT JOIN (SELECT issued_at::date AS day, count(*) AS cards FROM issuing.cards WHERE card_id < %s GROUP BY 1) AS k
             ON k.day < days.day
      WHERE days.cards IS NULL
      GROUP BY 1) AS counted
WHERE counted.day = d.day
"""
_RUNS_A_SESSION = 4  # payments are cut into a few runs of days a session, so that sessions end at about the same time


def write(url: str, window: Window, sessions: int, progress: Progress) -> None:
    """Writes the rows that arrive in a window and, unless it has all history, the changes that older rows undergo."""
    with connect(url) as connection:
        values = window.values(connection)

    def rows(*names: str) -> list[Task]:
        return [file(f"rows/{name}.sql", values) for name in names]

    def changes(*names: str) -> list[Task]:
        return [] if window.history else [file(f"changes/{name}.sql", values) for name in names]

    def bills(months: list[date]) -> list[Task]:
        return [file("rows/bills.sql", {**values, "month": month}) for month in months]

    if window.history:
        in_turn(url, rows("clubs", "card_designs", "admin_users"))
    in_turn(url, changes("applications"))
    together(url, [file("rows/applications.sql", part) for part in _applications(values, window, sessions)], sessions)
    progress("applications")
    holders = in_one([*rows("members", "cards"), *changes("members", "cards")])
    together(url, [holders, *rows("ekyc_documents", "credit_screenings")], sessions)
    in_turn(url, [_calendar(window), *changes("payments")])
    progress("members, cards")
    together(url, [file("rows/payments.sql", run) for run in _runs(values, window, sessions)], sessions)
    progress("payments")
    made_up, summed = window.billed_months
    together(url, [*rows("clearings", "payment_notifications", "rewards"), *bills(made_up)], sessions)
    progress("clearings, notifications, rewards")
    together(url, bills(summed), sessions)
    in_turn(url, [lines(["ANALYZE synth.bills"]), *changes("statements", "delinquencies")])
    told = rows("statements", "statement_notifications")
    chased = rows("repayments", "delinquencies", "dunning_contacts")
    together(url, [in_one(told), in_one(chased)], sessions)
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
        connection.execute(_CARDS_BEFORE, [BY_HAND])
        connection.execute("ANALYZE issuing.cards, issuing.members, synth.days, synth.merchants")

    return note


def _applications(values: dict[str, object], window: Window, sessions: int) -> list[dict[str, object]]:
    first, last = window.applications
    runs = _cut(last - first + 1, sessions)
    return [{**values, "first_application": first + run[0], "last_application": first + run[-1]} for run in runs]


def _runs(values: dict[str, object], window: Window, sessions: int) -> list[dict[str, object]]:
    every = days(*window.payment_days)
    runs = _cut(len(every), sessions * _RUNS_A_SESSION)
    return [{**values, "days_from": every[run[0]], "days_to": every[run[-1]]} for run in runs]


def _cut(number: int, parts: int) -> list[range]:
    """Cuts so many things into runs of about the same length, each a range of their positions."""
    size = max(1, -(-number // parts))
    return [range(start, min(start + size, number)) for start in range(0, number, size)]
