"""What ran: the ledger's tables in BigQuery, what earlier loads prove, and the leases of tables."""

from etl.ledger.key_events import record_keys
from etl.ledger.lease_rows import LeaseBook
from etl.ledger.leases import LeaseProof, Leases, all_leases, leased, release_leases
from etl.ledger.ledger import Ledger, write_report
from etl.ledger.loads import History, MergeState, done_days, load_history, merge_state, modifications_today
from etl.ledger.outcomes import LOADED, PUBLISHED, REPLACED, LoadOutcome, failed, failure_kind
from etl.ledger.results import FailedCheck, TableResult
from etl.ledger.rows import check_rows, package_version

__all__ = [
    "LOADED",
    "PUBLISHED",
    "REPLACED",
    "FailedCheck",
    "History",
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
    "leased",
    "load_history",
    "merge_state",
    "modifications_today",
    "package_version",
    "record_keys",
    "release_leases",
    "write_report",
]
