"""What happened to the key versions, in `ops.key_events`: noticed at the start of each run, and recorded once.

The ledger is also the proof that a version is still the key under which its first tokens were made.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from etl.clock import now
from etl.errors import NO_ROW_READ
from etl.ledger.ledger import Ledger
from etl.ledger.loads import RECENT
from etl.ledger.outcomes import REPLACED
from masking.errors import KeyUnusable
from masking.key_versions import KeyVersion
from masking.keyring import Keyring

_FIRST_USED: Final = "first used"
_RENEWED: Final = "renewed"


@dataclass(frozen=True)
class _Use:
    """The first load under a key version."""

    kcv: str
    run_id: str
    at: datetime


@dataclass(frozen=True)
class KeyUse:
    """Which key versions the ledger knows.

    Attributes:
        used: those under which rows were published.
        renewed: those to which every older token had been brought at one time.
    """

    used: frozenset[int]
    renewed: frozenset[int]

    def settled(self, primary: int) -> bool:
        """Tells whether no token of another version can be expected to stand beside those of a load."""
        return max(self.used, default=primary) <= primary and (primary in self.renewed or self.used <= {primary})


def record_keys(ledger: Ledger, keys: Keyring, run_id: str) -> KeyUse:
    """Proves that each used version is still the same key, records what is new, and returns what the ledger knows.

    Raises:
        KeyUnusable: a version has another check value than the ledger knows.
    """
    present = {version.version: version.kcv for version in keys.versions}
    recorded, uses = _noted(ledger, present)
    changed = [number for number, use in uses.items() if present.get(number) != use.kcv]
    if changed:
        raise KeyUnusable(
            f"Key version {changed[0]} is not the key that earlier runs used under this version.",
            not_done=NO_ROW_READ,
            advice="Restore the keyring that the ledger's key check values name; a new key needs a new version.",
        )
    new = [
        {"version": number, "event": event, "kcv": kcv, "happened_at": at, "run_id": by or run_id, "at": now()}
        for number, event, kcv, at, by in (*_lives(keys), *_first_uses(uses))
        if (number, event) not in recorded
    ]
    if new:
        ledger.append("key_events", new)
    return KeyUse(frozenset(uses), frozenset(number for number, event in recorded if event == _RENEWED))


def record_renewed(ledger: Ledger, keys: Keyring, run_id: str) -> None:
    """Writes down that no token of another version than the primary one stands that could be renewed."""
    row = {"version": keys.primary, "event": _RENEWED, "kcv": keys.version(keys.primary).kcv}
    ledger.append("key_events", [{**row, "happened_at": now(), "run_id": run_id, "at": now()}])


def _lives(keys: Keyring) -> Iterator[tuple[int, str, str, datetime, str]]:
    for version in keys.versions:
        yield version.version, "created" if version.version == 1 else "rotated", version.kcv, _made(version), ""
        if version.state in {"retired", "destroyed"}:  # a version is retired before it is destroyed
            yield version.version, "retired", version.kcv, now(), ""
        if version.state == "destroyed":
            yield version.version, "destroyed", version.kcv, now(), ""


def _first_uses(uses: dict[int, _Use]) -> Iterator[tuple[int, str, str, datetime, str]]:
    for number, use in uses.items():
        yield number, _FIRST_USED, use.kcv, use.at, use.run_id


def _made(version: KeyVersion) -> datetime:
    try:
        return datetime.fromisoformat(version.created)
    except ValueError:
        return now()


def _noted(ledger: Ledger, versions: Collection[int]) -> tuple[set[tuple[int, str]], dict[int, _Use]]:
    """Returns the events that are recorded already, and the first use of each version.

    A use is recorded as an event by the next run, so the loads of late are enough, unless a version has no use at all.
    """
    recorded, uses = _asked(ledger, RECENT)
    return (recorded, uses) if uses.keys() >= set(versions) else _asked(ledger, "TRUE")


def _asked(ledger: Ledger, when: str) -> tuple[set[tuple[int, str]], dict[int, _Use]]:
    """Asks for the events, and for the first use of each version among some loads; one query."""
    sql = (
        "SELECT version, event, kcv, CAST(NULL AS STRING) AS key_checks, run_id, happened_at AS first_at "
        f"FROM `{ledger.table_id('key_events')}` "
        "UNION ALL SELECT NULL, NULL, NULL, key_checks, MIN_BY(run_id, `at`), MIN(`at`) "
        f"FROM `{ledger.table_id('table_loads')}` "
        f"WHERE {when} AND outcome IN UNNEST(@outcomes) AND key_checks IS NOT NULL "
        "GROUP BY key_checks"
    )
    recorded: set[tuple[int, str]] = set()
    uses: dict[int, _Use] = {}
    for row in sorted(ledger.read(sql, outcomes=tuple(REPLACED)), key=lambda each: each["first_at"]):
        if row["event"]:
            recorded.add((int(row["version"]), str(row["event"])))
        used = json.loads(row["key_checks"] or "{}")
        if row["event"] == _FIRST_USED:
            used = {row["version"]: row["kcv"]}
        for number, kcv in used.items():
            uses.setdefault(int(number), _Use(str(kcv), row["run_id"], row["first_at"]))
    return recorded, uses
