"""Errors that several steps raise or catch; one that a single step raises is in that step's own module.

Exit codes: 1 audit or leak stopped a table, 2 contract or settings must change, 3 run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from masking.errors import KagemushaError

STOPPED = 1
TRANSIENT = 3

_WORST_FIRST = (2, 1, 3, 0)  # what a person must change, what a person must look at, what may pass by itself

NO_ROW_READ = "No row was read."
NOT_PUBLISHED = "The table was not published; what was published before still serves."


def worst(*codes: int) -> int:
    """Returns the exit code that tells most about what has to be done; 0 where there is none."""
    return min(codes, key=_WORST_FIRST.index, default=0)


def worst_of(failures: Sequence[KagemushaError]) -> KagemushaError:
    """Returns the first of the failures whose exit code is the worst."""
    return min(failures, key=lambda failure: _WORST_FIRST.index(failure.exit_code))


class SettingsInvalid(KagemushaError):
    """A setting or an argument is missing or malformed."""

    advice = "Correct the settings file or the argument; README.md lists them."


class SourceUnavailable(KagemushaError):
    """The database did not answer, or ended the connection."""

    advice = "Run again; nothing has to be cleaned up."
    exit_code: ClassVar[int] = TRANSIENT


class RunLost(SourceUnavailable):
    """The snapshot or reader that all slices depend on is gone: run again; retrying a slice cannot help."""


class SourceChanged(KagemushaError):
    """A table was altered, replaced, truncated or rewritten since the plan; another try would read the same."""

    advice = "Run again when the change of the table is done; the next run plans it anew."
    exit_code: ClassVar[int] = TRANSIENT


class StatementTimedOut(KagemushaError):
    """A query ran longer than the settings allow; another try would only load the reader again."""

    advice = "Lower [source].slice_mib or raise [source].statement_seconds; the reader may be busy: then run again."
    exit_code: ClassVar[int] = TRANSIENT


class PlanRejected(KagemushaError):
    """Contract and source table disagree, so no query was built."""


class SourceTableMissing(PlanRejected):
    """The source has no such table."""


class SourceForbidden(PlanRejected):
    """The ETL user lacks a privilege on the table, its schema, or a column."""


class ValuesUnfit(KagemushaError):
    """Source values do not fit the contract's type exactly."""

    advice = "Widen the type in the contract, or correct the rows at the source."
    exit_code: ClassVar[int] = STOPPED


class BucketMissing(KagemushaError):
    """The staging bucket does not exist or may not be used."""

    advice = "Create the bucket in [stage].bucket, or grant the job's service account access to it."


class PublishRefused(KagemushaError):
    """BigQuery's table and the contract differ in a way that only a person may change."""

    advice = "Change the table by hand, or take the change in the contract back."


class PublishFailed(KagemushaError):
    """A load job ended with an error; the partition keeps its previous rows."""

    advice = "Run again; if it fails the same way, read the job in BigQuery by its id."
    exit_code: ClassVar[int] = TRANSIENT


class Unexpected(KagemushaError):
    """A failure that no step foresaw; its own message is withheld because it could quote a value."""

    advice = "Run again; if it repeats, report the error type and the place."
    exit_code: ClassVar[int] = TRANSIENT
