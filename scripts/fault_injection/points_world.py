"""Fault points of the world around a load: its source changes, clocks jump, keys are rotated, somebody else comes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Final, Self

from etl import clock
from etl.keys import open_keyring, rotate_keyring, stored_keyring
from etl.ledger import Ledger
from etl.upkeep.erase.forget import forget
from etl.upkeep.retokenize.retokenize import retokenize
from masking.errors import KagemushaError
from masking.keyring import KeyRef
from scripts.fault_injection.field import LEAVER, Field, Silent
from scripts.fault_injection.point import Act, Point, moment

_AT: Final = ("gifts", "stage")


def does(*statements: str) -> Act:
    """The source changes; nobody waits for a standby, which may be waiting for the load."""
    return lambda played: played.database.change(*statements)


def comes_again(played: Field) -> None:
    """A second run comes, finds the tables held, and waits for nobody."""
    limits = played.settings.limits.model_copy(update={"lease_wait_seconds": 0})
    with suppress(KagemushaError):
        played.run(played.settings.model_copy(update={"limits": limits}))


def rotates(played: Field) -> None:
    """Somebody rotates the keys, unless a version is pending already."""
    where = played.settings.keyring.ref
    if stored_keyring(where).pending is None:
        rotate_keyring(where)


def renews(played: Field) -> None:
    """Keys are rotated, and published tokens renewed, when the disturbed run has ended."""
    rotates(played)
    retokenize(played.settings, Silent(), (), played.folder)


def leaves(played: Field) -> None:
    """A follower leaves: the source deletes the row, and what is published is forgotten, unless a run holds it."""
    does(f"DELETE FROM small.followers WHERE follower_id = {LEAVER}")(played)
    keys = open_keyring(KeyRef(played.settings.keyring.ref))
    limits = played.settings.limits.model_copy(update={"lease_wait_seconds": 0})
    settings = played.settings.model_copy(update={"limits": limits})
    ledger = Ledger(played.warehouse)
    with suppress(KagemushaError):
        forget(settings, ledger, played.contracts, keys, "member", [str(LEAVER)], "left", apply=True)


def turns_clock(hours: int) -> Act:
    """The clock of this process is wrong from now on; those of its workers and of the servers are right."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(datetime.now(UTC).timestamp() + hours * 3600, tz)

    def act(_: Field) -> None:
        setattr(clock, "datetime", Wrong)  # noqa: B010  a type to everybody else

    return act


def rights_clock(_: Field) -> None:
    """The clock is right again."""
    setattr(clock, "datetime", datetime)  # noqa: B010  the same


def promotes(played: Field) -> None:
    """The reader becomes a writer, as in a failover."""
    if played.stack is not None:
        played.stack.promote_standby()


def follows_again(played: Field) -> None:
    """A new reader follows the writer, at the same address."""
    if played.stack is not None:
        played.stack.renew_standby()


_RENAMED: Final = "ALTER TABLE small.{0} RENAME COLUMN {1} TO {1}_was; ALTER TABLE small.{0} RENAME COLUMN {2} TO {1}"
_BACK: Final = "ALTER TABLE small.{0} RENAME COLUMN {1} TO {2}; ALTER TABLE small.{0} RENAME COLUMN {1}_was TO {1}"
_RELOADED: Final = (
    "BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM small.{0}; TRUNCATE small.{0}; "
    "INSERT INTO small.{0} SELECT * FROM kept; COMMIT"
)
_CAME_BACK: Final = (
    "INSERT INTO small.followers SELECT {0}, 1 + {0} % 40, {0}, now() "
    "WHERE NOT EXISTS (SELECT 1 FROM small.followers WHERE follower_id = {0})"
)

POINTS: Final[tuple[Point, ...]] = (
    moment("columns-swapped", "a dropped column gets a kept one's name", _AT,
           does(_RENAMED.format("teams", "name", "contact_email")),
           undo=does(_BACK.format("teams", "name", "contact_email")), engine="postgres"),
    moment("column-renamed", "a column is renamed while others are staged", _AT,
           does("ALTER TABLE small.standings RENAME COLUMN points TO marks"),
           undo=does("ALTER TABLE small.standings RENAME COLUMN marks TO points"), engine="postgres"),
    moment("table-truncated", "TRUNCATE and reload while others are staged", ("teams", "stage"),
           does(_RELOADED.format("gifts")), engine="postgres"),
    moment("table-rewritten", "VACUUM FULL while others are staged", ("teams", "stage"),
           does("VACUUM FULL small.followers"), engine="postgres"),
    moment("keys-rotated", "the keys are rotated as a table is audited", ("teams", "audit"), rotates),
    moment("person-forgotten", "a person is deleted and forgotten as a table is published", ("gifts", "publish"),
           leaves, undo=does(_CAME_BACK.format(LEAVER))),
    moment("clock-ahead", "the driver's clock jumps two hours ahead", ("gifts", "publish"), turns_clock(2),
           undo=rights_clock),
    moment("clock-back", "the driver's clock jumps two hours back", ("gifts", "audit"), turns_clock(-2),
           undo=rights_clock),
    moment("reader-promoted", "the reader becomes a writer while tables are staged", ("gifts", "stage"), promotes,
           undo=follows_again, alone=True, engine="postgres"),
    moment("second-run", "a second run comes as a table is published", ("gifts", "publish"), comes_again),
)  # fmt: skip

RENEWED: Final = moment("tokens-renewed", "keys rotated, tokens renewed after the run", _AT, rotates, undo=renews)
"""For a field on which columns that depend on a key are not compared."""
