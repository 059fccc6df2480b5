"""Errors of the flow. Exit codes: 1 audit or leak stopped a table, 2 contract or settings must change, 3 run again."""

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


class EndpointRefused(KagemushaError):
    """The session is not on a reader that the settings allow."""

    advice = "Use the cluster's custom ETL endpoint."


class CredentialsRefused(KagemushaError):
    """The database refused the user name or the password."""

    advice = "Check the user in [source].url and the password in its passfile, environment variable or secret."


class SourceUnavailable(KagemushaError):
    """The database did not answer, or ended the connection."""

    advice = "Run again; nothing has to be cleaned up."
    exit_code: ClassVar[int] = TRANSIENT


class ReaderLags(KagemushaError):
    """The reader is further behind the writer than the settings allow."""

    advice = "Run again when the reader has caught up; [source].lag_wait_seconds says how long a run waits for it."
    exit_code: ClassVar[int] = TRANSIENT


class RunLost(SourceUnavailable):
    """What every slice of a run stands on is gone: another run may pass, another try of the slice cannot."""


class SnapshotLost(RunLost):
    """The pinned snapshot is gone, so no further slice can read the rows of the others."""


class ReaderChanged(RunLost):
    """The pinned reader has become the writer, or another instance answers in its place."""


class SourceMoved(KagemushaError):
    """A table changed while it was read from an engine whose slices are not one snapshot."""

    advice = "Run again at a quieter time, or load the table by closed days: `mode: partition`."
    exit_code: ClassVar[int] = TRANSIENT


class StatementTimedOut(KagemushaError):
    """A query ran longer than the settings allow; another try would only load the reader again."""

    advice = "Lower [source].slice_mib or raise [source].statement_seconds; the reader may be busy: then run again."
    exit_code: ClassVar[int] = TRANSIENT


class ReadFailed(KagemushaError):
    """The database or the reader refused a query of ours."""

    advice = "Compare the contract's types with the table, and the grants of the ETL user."


class PlanRejected(KagemushaError):
    """Contract and source table disagree, so no query was built."""


class SourceTableMissing(PlanRejected):
    """The source has no such table."""


class SourceForbidden(PlanRejected):
    """The ETL user lacks a privilege on the table, its schema, or a column."""


class ContractNotProposed(PlanRejected):
    """A table cannot have a contract without a decision that only a person can make."""


class ColumnsUndecided(PlanRejected):
    """The source has columns that the contract does not name."""


class ColumnsMissing(PlanRejected):
    """The contract names columns that the source does not have."""


class ColumnsRenamed(PlanRejected):
    """Columns of the contract seem to have another name at the source."""


class ColumnsRetyped(PlanRejected):
    """Columns have another type at the source than the contract says."""


class ColumnsNullable(PlanRejected):
    """Columns that the contract knows as never NULL may be NULL at the source."""


class ValuesUnfit(KagemushaError):
    """Source values do not fit the contract's type exactly."""

    advice = "Widen the type in the contract, or correct the rows at the source."
    exit_code: ClassVar[int] = STOPPED


class QuarantineFull(KagemushaError):
    """More rows of a column cannot be masked than its contract lets a load leave out."""

    advice = "Correct the rows at the source; raise `quarantine_budget` only if you know why they differ."
    exit_code: ClassVar[int] = STOPPED


class LeakFound(KagemushaError):
    """Masked values still look like card numbers, people's numbers or addresses, or are not what they are declared."""

    advice = "Give the column the class of what it holds, or declare its `format`; POLICY.md tells both."
    exit_code: ClassVar[int] = STOPPED


class StorageUnavailable(KagemushaError):
    """Cloud Storage did not take or give an object."""

    advice = "Run again; staged objects of this run are never published."
    exit_code: ClassVar[int] = TRANSIENT


class BucketMissing(KagemushaError):
    """The staging bucket does not exist or may not be used."""

    advice = "Create the bucket in [stage].bucket, or grant the job's service account access to it."


class AuditFailed(KagemushaError):
    """A blocking expectation or a reconciliation failed."""

    advice = "Read the run report; correct the source, the contract or the suite, and run again."
    exit_code: ClassVar[int] = STOPPED


class PublishRefused(KagemushaError):
    """BigQuery's table and the contract differ in a way that only a person may change."""

    advice = "Change the table by hand, or take the change in the contract back."


class PublishFailed(KagemushaError):
    """A load job ended with an error; the partition keeps its previous rows."""

    advice = "Run again; if it fails the same way, read the job in BigQuery by its id."
    exit_code: ClassVar[int] = TRANSIENT


class StageChanged(KagemushaError):
    """Between audit and publishing, somebody else replaced or removed staged files."""

    advice = "Run again; if it repeats, find out who else writes to the staging bucket."
    exit_code: ClassVar[int] = TRANSIENT


class Unexpected(KagemushaError):
    """A failure that no step foresaw; its own message is withheld because it could quote a value."""

    advice = "Run again; if it repeats, report the error type and the place."
    exit_code: ClassVar[int] = TRANSIENT
