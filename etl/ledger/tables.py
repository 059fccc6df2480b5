"""What the ledger's tables are: names, columns, what each column means, and how they are laid out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from google.cloud import bigquery

Fields = tuple[bigquery.SchemaField, ...]


@dataclass(frozen=True)
class LedgerTable:
    """One table of the ledger.

    Attributes:
        partitioned: by the day of `at`. Small tables are not, so that a query of them need not name days.
    """

    name: str
    about: str
    fields: Fields
    partitioned: bool = False
    cluster_by: tuple[str, ...] = ()

    @property
    def shape(self) -> str:
        """A digest of columns and texts, kept as a label: it differs where the table was made by an earlier version."""
        described = [self.about, [field.to_api_repr() for field in self.fields]]
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def _f(name: str, kind: str, about: str) -> bigquery.SchemaField:
    return bigquery.SchemaField(name, kind, description=about)


_RUN: Final = _f("run_id", "STRING", "The run: business day, start, and six random digits.")
_TABLE: Final = _f("table_name", "STRING", "The contract's table.")
_AT: Final = _f("at", "TIMESTAMP", "When the row was written.")

_CHECK: Final = (
    _f("expectation", "STRING", "In Great Expectations' words, or the name of a reconciliation."),
    bigquery.SchemaField("columns", "STRING", "REPEATED", description="The columns that it looks at."),
    _f("severity", "STRING", "blocking: stops the table; warning: is reported."),
    _f("origin", "STRING", "contract, suite, reconciliation, join or history."),
    _f("passed", "BOOL", "Whether it held."),
    _f("failed", "INT64", "Rows against it; NULL where it is about the whole table."),
    _f("checked", "INT64", "Rows looked at; NULL likewise."),
    _f("error", "STRING", "The type of the exception that kept it from running."),
    _f("waived_by", "STRING", "Who signed that this failure may pass once."),
)

RUNS: Final = LedgerTable(
    "runs",
    "One row for the start and one for the end of each run.",
    (
        _RUN,
        _f("event", "STRING", "started or ended; a killed run has no end."),
        _f("day", "DATE", "The business day (JST) that was loaded."),
        _AT,
        _f("tables", "INT64", "How many tables the run had."),
        _f("published", "INT64", "How many of them it published."),
        _f("exit_code", "INT64", "0 published, 1 audit or leak, 2 contract or settings, 3 run again."),
        _f("source_instance", "STRING", "The reader that was read."),
        _f("snapshot", "STRING", "The name of the pinned snapshot."),
        _f("package_version", "STRING", "The version of this package."),
        _f("seconds", "FLOAT64", "Wall time."),
    ),
    partitioned=True,
)
TABLE_LOADS: Final = LedgerTable(
    "table_loads",
    "One row for each table of each run, published or not; appended, never changed.",
    (
        _RUN,
        _TABLE,
        _f("day", "DATE", "The business day (JST) of the run."),
        _f("window_first", "DATE", "The first business day that was read; NULL for a whole table."),
        _f("window_last", "DATE", "The last business day that was read; NULL for a whole table."),
        _f("outcome", "STRING", "published, already loaded, retokenized, or failed: the kind of the error."),
        _f("error", "STRING", "The error in full: names and counts."),
        _f("rows", "INT64", "Rows staged."),
        _f("bytes", "INT64", "Bytes staged."),
        _f("partitions", "INT64", "Partitions replaced."),
        _f("watermark", "TIMESTAMP", "Of a merge table: the latest change that is published since this load."),
        _f("source_origin", "STRING", "Which table of which server was read: a watermark holds for no other."),
        _f("keys_compared", "INT64", "Of a merge table: how many keys the source had, where all were read; else NULL."),
        _f("deleted", "INT64", "Of a merge table: rows that this load deleted or marked as deleted."),
        _f("sums", "STRING", "JSON: the sums of the contract's `reconcile` columns."),
        _f("nulls", "STRING", "JSON: NULLs of each published column."),
        _f("nulled", "STRING", "JSON: values that could not be masked and became NULL, by column."),
        _f("quarantined", "STRING", "JSON: rows left out, each by its masked key and the reason."),
        _f("contract_digest", "STRING", "SHA-256 of the contract's meaning."),
        _f("manifest_digest", "STRING", "SHA-256 of the staged files' names, generations and checksums."),
        _f("key_checks", "STRING", "JSON: the key versions that were used, with their check values."),
        _f("job_ids", "STRING", "JSON: the load jobs."),
        _f("expectations", "INT64", "Checks of the audit."),
        _f("expectations_passed", "INT64", "Checks that held."),
        _f("warnings", "STRING", "JSON: checks that failed and did not stop the table."),
        _f("seconds", "FLOAT64", "Wall time."),
        _f("peak_mib", "INT64", "The largest worker's peak memory."),
        _f("step_seconds", "STRING", "JSON: seconds of staging and of the audit; the rest is planning and publishing."),
        _AT,
        _f("partition_rows", "STRING", "JSON: rows staged, by business day; NULL for a whole table."),
        _f("basis", "STRING", "SHA-256 of all that decides the rows besides the source's own: see --resume."),
        _f("fence", "INT64", "The fencing number of the lease under which the table was loaded."),
        _f("key_version", "INT64", "The key version whose signing key was used."),
        _f(
            "signature",
            "STRING",
            "HMAC-SHA-256 over what later runs believe: load, basis, stage, watermark, keys, time, the audit's checks.",
        ),
        bigquery.SchemaField("checks", "RECORD", "REPEATED", fields=_CHECK, description="The audit; see ops.audits."),
        bigquery.SchemaField(
            "check_arguments",
            "STRING",
            "REPEATED",
            description="JSON: what each of `checks` expects, in their order: names, reviewed constants and counts.",
        ),
    ),
    partitioned=True,
    cluster_by=("table_name",),
)
KEY_EVENTS: Final = LedgerTable(
    "key_events",
    "What happened to the key versions; no key, and no value that helps to find one.",
    (
        _f("version", "INT64", "The key version."),
        _f(
            "event",
            "STRING",
            "created, rotated, first used, renewed (no older token stands), retired, orphaned, destroyed.",
        ),
        _f("kcv", "STRING", "The key check value: tells whether two keys are the same."),
        _f("happened_at", "TIMESTAMP", "When, as far as the keyring says; else when a run noticed."),
        _f("run_id", "STRING", "The run that noticed."),
        _AT,
        _f("asked_by", "STRING", "Of an orphaned version: the account and host that gave its tokens up."),
        _f("purpose", "STRING", "Of an orphaned version: why, as it was given."),
        _f("held", "STRING", "Of an orphaned version: JSON, what held its tokens."),
    ),
)
LEASES: Final = LedgerTable(
    "leases",
    "Who may publish a table now: one row a published table, changed in place; a row without a run is free.",
    (
        _f("table_name", "STRING", "dataset.table that is published."),
        _f("run_id", "STRING", "The run that holds the lease; NULL when it is free."),
        _f("since", "TIMESTAMP", "When the run got it."),
        _f("until", "TIMESTAMP", "When it ends unless the run renews it."),
        _f("fence", "INT64", "Grows with every change of hands."),
    ),
)
ERASURES: Final = LedgerTable(
    "erasures",
    "What was erased for persons: two rows a table (begun, then how it ended); counts and keyed references only.",
    (
        _f("erasure_id", "STRING", "The erasure."),
        _f("event", "STRING", "begun; then ended, or incomplete where rows are under a destroyed key version."),
        _f("asked_by", "STRING", "The account and host that asked."),
        _f("purpose", "STRING", "The case, as it was given."),
        _f("domain", "STRING", "The domain of the identifiers."),
        _f("persons", "INT64", "How many identifiers were given."),
        bigquery.SchemaField(
            "references", "STRING", "REPEATED", description="A keyed hash of each identifier; cannot be turned back."
        ),
        _f("key_versions", "STRING", "JSON: the versions under which tokens were looked for."),
        _f("table_name", "STRING", "The contract's table."),
        _f("rule", "STRING", "delete, nullify or keep, as the contract says."),
        _f("rows_found", "INT64", "Rows with a token of the persons."),
        _f("rows_changed", "INT64", "Rows deleted or emptied of the person."),
        _f("job_id", "STRING", "The statement's job."),
        _AT,
    ),
)
WAIVERS: Final = LedgerTable(
    "waivers",
    "Who let which failure of an audit through: one row when it was signed, one when it was used.",
    (
        _RUN,
        _TABLE,
        _f("event", "STRING", "signed or used."),
        _f("expectation", "STRING", "The check, with its columns."),
        _f("expectation_digest", "STRING", "SHA-256 of what was expected: the waiver is for nothing else."),
        _f("manifest_digest", "STRING", "SHA-256 of the staged files: the waiver is for no other bytes."),
        _f("reason", "STRING", "Why the failure may pass, as it was given."),
        _f("waived_by", "STRING", "Who answers for it, as it was given."),
        _f("signed_at", "STRING", "When it was signed."),
        _f("key_version", "INT64", "The key version whose signing key was used."),
        _f("signature", "STRING", "HMAC-SHA-256 over all of the above but the event."),
        _AT,
    ),
)
STAGES: Final = LedgerTable(
    "stages",
    "One row for each table that a run staged, written before it was audited; only such a stage is published later.",
    (
        _RUN,
        _TABLE,
        _f("day", "DATE", "The business day (JST) of the run."),
        _f("contract_digest", "STRING", "SHA-256 of the contract's meaning."),
        _f("manifest_digest", "STRING", "SHA-256 of the staged files' names, generations and checksums."),
        _f("key_version", "INT64", "The key version whose signing key was used."),
        _f("signature", "STRING", "HMAC-SHA-256 over the whole manifest: files, totals, window."),
        _AT,
    ),
    partitioned=True,
    cluster_by=("run_id",),
)
TABLES: Final = (RUNS, TABLE_LOADS, KEY_EVENTS, LEASES, ERASURES, WAIVERS, STAGES)
BY_NAME: Final = {table.name: table for table in TABLES}

AUDITS: Final = "audits"
AUDITS_ABOUT: Final = "One row for each check of each table load; a view of table_loads.checks."


def audits_sql(table_loads: str) -> str:
    """Returns the query of the view `ops.audits`: the checks of a load are in its own row, and written with it."""
    columns = ", ".join(
        "ARRAY_TO_STRING(c.columns, ', ') AS columns" if field.name == "columns" else f"c.{field.name}"
        for field in _CHECK
    )
    return (
        f"SELECT l.run_id, l.table_name, l.day, l.at, l.outcome, {columns}, "
        "(SELECT said FROM UNNEST(l.check_arguments) AS said WITH OFFSET AS number WHERE number = place) AS arguments "
        f"FROM `{table_loads}` AS l, UNNEST(l.checks) AS c WITH OFFSET AS place"
    )
