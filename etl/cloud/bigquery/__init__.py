"""BigQuery: one client with bounded retries, load jobs, statements that change rows, access to datasets."""

from etl.cloud.bigquery.dataset_access import wanted_entries
from etl.cloud.bigquery.dml import change
from etl.cloud.bigquery.failures import RETRY, TIMEOUT_SECONDS, translated
from etl.cloud.bigquery.jobs import copy, load, run_statement
from etl.cloud.bigquery.parameters import Value
from etl.cloud.bigquery.warehouse import Warehouse, quoted

__all__ = [
    "RETRY",
    "TIMEOUT_SECONDS",
    "Value",
    "Warehouse",
    "change",
    "copy",
    "load",
    "quoted",
    "run_statement",
    "translated",
    "wanted_entries",
]
