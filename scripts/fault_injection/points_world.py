"""Fault points of the world around a load: its source's tables change, keys are rotated, another run comes."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import psycopg

from etl.keys import rotate_keyring, stored_keyring
from masking.errors import KagemushaError
from scripts.fault_injection.field import Field
from scripts.fault_injection.point import Act, Point, moment

_AT: Final = ("gifts", "stage")


def does(*statements: str) -> Act:
    """The primary changes; nobody waits for the standby, which may be waiting for the load."""

    def act(played: Field) -> None:
        with psycopg.connect(played.ends.primary_url, autocommit=True) as connection:
            for sql in statements:
                connection.execute(sql.encode())

    return act


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


_RENAMED: Final = "ALTER TABLE small.{0} RENAME COLUMN {1} TO {1}_was; ALTER TABLE small.{0} RENAME COLUMN {2} TO {1}"
_BACK: Final = "ALTER TABLE small.{0} RENAME COLUMN {1} TO {2}; ALTER TABLE small.{0} RENAME COLUMN {1}_was TO {1}"
_RELOADED: Final = (
    "BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM small.{0}; TRUNCATE small.{0}; "
    "INSERT INTO small.{0} SELECT * FROM kept; COMMIT"
)

POINTS: Final[tuple[Point, ...]] = (
    moment("columns-swapped", "a dropped column gets a kept one's name", _AT,
           does(_RENAMED.format("teams", "name", "contact_email")),
           undo=does(_BACK.format("teams", "name", "contact_email"))),
    moment("column-renamed", "a column is renamed while others are staged", _AT,
           does("ALTER TABLE small.standings RENAME COLUMN points TO marks"),
           undo=does("ALTER TABLE small.standings RENAME COLUMN marks TO points")),
    moment("table-truncated", "TRUNCATE and reload while others are staged", ("teams", "stage"),
           does(_RELOADED.format("gifts"))),
    moment("table-rewritten", "VACUUM FULL while others are staged", ("teams", "stage"),
           does("VACUUM FULL small.followers")),
    moment("keys-rotated", "the keys are rotated as a table is audited", ("teams", "audit"), rotates),
    moment("second-run", "a second run comes as a table is published", ("gifts", "publish"), comes_again),
)  # fmt: skip
