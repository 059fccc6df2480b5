"""What a backfill has to know before it begins: which days are loaded, which others are there, what changed today."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from google.cloud import bigquery

from etl.handoff import Window
from etl.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from masking.keyring import Keyring
from schemas.contract import Contract


def done_days(warehouse: Warehouse, contract: Contract, keys: Keyring) -> frozenset[date]:
    """Gives the business days that the ledger proves published under the present contract and primary key version."""
    if warehouse.find_table(contract.publish) is None:
        return frozenset()
    primary = keys.version(keys.primary)
    rows = _ledger(
        warehouse,
        contract,
        "window_first, window_last, key_checks",
        "outcome = 'published' AND window_first IS NOT NULL AND contract_digest = @digest",
    )
    found: set[date] = set()
    for row in rows:
        used = json.loads(row["key_checks"] or "{}")
        if all(pair == (str(primary.version), primary.kcv) for pair in used.items()):
            found |= set(Window(row["window_first"], row["window_last"]).days)
    return frozenset(found)


def modifications_today(warehouse: Warehouse, contract: Contract) -> int:
    """Gives how often loads have changed the table in the last 24 hours."""
    rows = _ledger(
        warehouse, contract, "SUM(partitions) AS changed", "at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 24 HOUR)"
    )
    return int(rows[0]["changed"] or 0)


def holds_other_days(warehouse: Warehouse, contract: Contract, asked: Window) -> bool:
    """Tells whether the published table has rows of days outside a range."""
    if warehouse.find_table(contract.publish) is None:
        return False
    by = f"`{contract.partition_by}`"
    sql = (
        f"SELECT COUNT(*) AS others FROM `{warehouse.table_id(contract.publish)}` WHERE {by} >= DATE '0001-01-01' "
        f"AND ({by} < DATE '{asked.first.isoformat()}' OR {by} > DATE '{asked.last.isoformat()}')"
    )
    with translated("Published days could not be counted"):
        (row,) = warehouse.client.query_and_wait(sql, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
    return bool(row["others"])


def _ledger(warehouse: Warehouse, contract: Contract, columns: str, where: str) -> Sequence[Any]:  # Any: untyped client
    table = warehouse.table_id(f"{warehouse.settings.ops_dataset}.table_loads")
    config = bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ScalarQueryParameter("name", "STRING", contract.table),
            bigquery.ScalarQueryParameter("digest", "STRING", contract.digest),
        ]
    )
    sql = f"SELECT {columns} FROM `{table}` WHERE table_name = @name AND {where}"
    with translated("The ledger could not be read"):
        return list(warehouse.client.query_and_wait(sql, job_config=config, api_timeout=TIMEOUT_SECONDS, retry=RETRY))
