"""What ran: the ledger's tables in BigQuery, what earlier loads prove, and the leases of tables."""

from etl.ledger.key_events import KeyUse, record_keys, record_renewed
from etl.ledger.lease_rows import LeaseBook
from etl.ledger.leases import LeaseProof, Leases, all_leases, leased, release_leases
from etl.ledger.ledger import Ledger, write_report
from etl.ledger.loads import (
    History,
    MergeState,
    done_days,
    load_history,
    merge_state,
    modifications_today,
    proven_since,
)
from etl.ledger.outcomes import LOADED, PUBLISHED, REPLACED, LoadOutcome, failed, failure_kind
from etl.ledger.results import FailedCheck, TableResult
from etl.ledger.rows import check_rows, package_version
from etl.ledger.signed_rows import SIGNED, row_is_signed, signed_row
from etl.ledger.stages import known_stages

__all__ = [
    "LOADED",
    "PUBLISHED",
    "REPLACED",
    "SIGNED",
    "FailedCheck",
    "History",
    "KeyUse",
    "LeaseBook",
    "LeaseProof",
    "Leases",
    "Ledger",
    "LoadOutcome",
    "MergeState",
    "TableResult",
    "all_leases",
    "check_rows",
    "done_days",
    "failed",
    "failure_kind",
    "known_stages",
    "leased",
    "load_history",
    "merge_state",
    "modifications_today",
    "package_version",
    "proven_since",
    "record_keys",
    "record_renewed",
    "release_leases",
    "row_is_signed",
    "signed_row",
    "write_report",
]
