"""What the ledger proves of a merge table: through which change it is published, and when its keys were compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

from google.cloud import bigquery

from etl.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from masking.keyring import Keyring
from schemas.contract import Contract
from schemas.loads import MergeLoad


@dataclass(frozen=True)
class Standing:
    """A merge table that further changes can be merged into.

    Attributes:
        watermark: the latest change that is published.
        keys_compared_on: the business day of the last run that read every key.
    """

    watermark: datetime
    keys_compared_on: date


def standing(warehouse: Warehouse, contract: Contract, keys: Keyring) -> Standing | None:
    """Gives how a merge table stands, or None where it has to be loaded whole.

    That is so when it is not published yet, and when its contract or the primary key version is another one than that
    of its rows: a table never holds rows of two contracts, and a row of another version would not be found by its key.
    """
    if not isinstance(contract.load, MergeLoad) or warehouse.find_table(contract.publish) is None:
        return None
    table = warehouse.table_id(f"{warehouse.settings.ops_dataset}.table_loads")
    sql = (
        "SELECT day, watermark, contract_digest, key_checks, keys_compared "
        f"FROM `{table}` WHERE table_name = @name AND outcome = 'published' AND watermark IS NOT NULL "
        "ORDER BY `at` DESC LIMIT 1000"
    )
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("name", "STRING", contract.table)])
    with translated("The ledger could not be read"):
        rows = warehouse.client.query_and_wait(sql, job_config=config, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
        found = list(rows)
    if not found or found[0]["contract_digest"] != contract.digest:
        return None
    primary = keys.version(keys.primary)
    used = json.loads(found[0]["key_checks"] or "{}")
    if any((version, kcv) != (str(primary.version), primary.kcv) for version, kcv in used.items()):
        return None
    compared = [row["day"] for row in found if row["keys_compared"] is not None]
    if not compared:
        return None
    return Standing(found[0]["watermark"].astimezone(UTC), max(compared))
