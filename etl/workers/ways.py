"""The ways that a task takes: to the keyring, to the staging bucket and so to Google, and to the reader."""

from __future__ import annotations

from dataclasses import dataclass

from etl.cloud.storage import StagingBucket, StagingLocation
from etl.keys import open_keyring
from etl.retries import without_foreign_message
from etl.settings import SourceSettings
from etl.source import reach
from masking.errors import KagemushaError
from masking.keyring import KeyRef


@dataclass(frozen=True)
class Ways:
    """What a task must reach. It travels to workers and holds no secret.

    Attributes:
        key: the key version to mask under, with its check value.
        location: the staging bucket, and how to log in to Google.
        source: the reader.
    """

    key: KeyRef
    location: StagingLocation
    source: SourceSettings


def try_ways(ways: Ways) -> KagemushaError | None:
    """Returns what keeps this process from working, if anything does: no row is read, nothing is written."""
    try:
        without_foreign_message(lambda: _try(ways))
    except KagemushaError as error:
        return error
    return None


def _try(ways: Ways) -> None:
    open_keyring(ways.key)
    StagingBucket(ways.location).check()
    reach(ways.source)
