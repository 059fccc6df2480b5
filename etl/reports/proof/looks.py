"""Who looked back, who let something pass, who was erased: counts, names and purposes, never a token or a value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from etl.ledger import Ledger
from etl.reports.facts.said import Said, said

_ASKED: Final = {"asked": False, "tokens asked": True}
"""Events of the access log that begin a use of the keys, and whether it makes tokens."""
_ERASED: Final = ("ended", "incomplete")
_EVENTS: Final = frozenset(
    {"created", "rotated", "first used", "renewed", "retired", "orphaned", "destroyed", "signed", "used", *_ERASED}
)


def event_said(event: str) -> Said:
    """Returns an event of the ledger as a word; one of a later version by its name."""
    return said(f"event.{event.replace(' ', '_')}") if event in _EVENTS else said("event.other", name=event)


@dataclass(frozen=True)
class LookFacts:
    """One batch of tokens that somebody asked to have turned back, or of values to have made into tokens.

    Attributes:
        makes: whether tokens were made; whoever may make them can find out whose a token is.
    """

    at: datetime
    user: str
    domain: str
    purpose: str
    count: int
    makes: bool = False


@dataclass(frozen=True)
class WaiverFacts:
    """One failure that somebody let pass."""

    run_id: str
    table: str
    event: str
    expectation: str
    reason: str
    waived_by: str
    at: datetime


@dataclass(frozen=True)
class ErasureFacts:
    """What one erasure did to one table."""

    erasure_id: str
    asked_by: str
    purpose: str
    persons: int
    table: str
    rule: str
    event: str
    found: int
    changed: int
    at: datetime


@dataclass(frozen=True)
class KeyEventFacts:
    """What happened to a key version."""

    version: int
    event: str
    kcv: str
    happened_at: datetime
    run_id: str


@dataclass(frozen=True)
class Period:
    """From one instant on, through another."""

    since: datetime
    until: datetime

    def holds(self, instant: datetime) -> bool:
        """Tells whether an instant is in it."""
        return self.since < instant <= self.until


def looks(log: Path | None, period: Period) -> tuple[LookFacts, ...] | None:
    """Returns the looks of a period in an access log; None where none is named, or it cannot be read here."""
    if log is None:
        return None
    lines: list[str] | None = None
    with suppress(OSError, UnicodeDecodeError):
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return None if lines is None else tuple(one for one in _asked(lines) if period.holds(one.at))


def _asked(lines: list[str]) -> Iterator[LookFacts]:
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            raw: Mapping[str, Any] = json.loads(line)  # Any: JSON
            if raw["event"] in _ASKED:
                yield LookFacts(
                    at=datetime.fromisoformat(raw["at"]),
                    user=str(raw["user"]),
                    domain=str(raw["domain"]),
                    purpose=str(raw["purpose"]),
                    count=int(raw["count"]),
                    makes=_ASKED[raw["event"]],
                )


def waivers(ledger: Ledger, period: Period) -> tuple[WaiverFacts, ...]:
    """Returns the waivers that were signed or used in a period."""
    rows = _of_period(ledger, "waivers", period)
    return tuple(
        WaiverFacts(
            run_id=row["run_id"],
            table=row["table_name"],
            event=row["event"],
            expectation=row["expectation"],
            reason=row["reason"],
            waived_by=row["waived_by"],
            at=row["at"],
        )
        for row in rows
    )


def erasures(ledger: Ledger, period: Period) -> tuple[ErasureFacts, ...]:
    """Returns the tables that erasures have dealt with in a period."""
    return tuple(
        ErasureFacts(
            erasure_id=row["erasure_id"],
            asked_by=row["asked_by"] or "",
            purpose=row["purpose"] or "",
            persons=row["persons"] or 0,
            table=row["table_name"],
            rule=row["rule"],
            event=row["event"],
            found=row["rows_found"] or 0,
            changed=row["rows_changed"] or 0,
            at=row["at"],
        )
        for row in _of_period(ledger, "erasures", period)
        if row["event"] in _ERASED
    )


def key_events(ledger: Ledger) -> tuple[KeyEventFacts, ...]:
    """Returns what happened to the key versions, in order."""
    sql = f"SELECT * FROM `{ledger.table_id('key_events')}` ORDER BY version, happened_at"
    return tuple(
        KeyEventFacts(int(row["version"]), row["event"], row["kcv"] or "", row["happened_at"], row["run_id"] or "")
        for row in ledger.read(sql)
    )


def _of_period(ledger: Ledger, name: str, period: Period) -> list[Any]:  # Any: BigQuery's rows
    sql = f"SELECT * FROM `{ledger.table_id(name)}` WHERE `at` > @since AND `at` <= @until ORDER BY `at`"
    return ledger.read(sql, since=period.since, until=period.until)
