"""The ledger: `ops.runs` and `ops.table_loads` in BigQuery, append-only, and a report beside the staged files.

It holds names, counts, sums of published columns, hashes and times; no value of a row but the masked keys of those in
quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from google.cloud import bigquery

from etl.errors import NO_ROW_READ
from etl.storage import Stage
from etl.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from masking.errors import KeyUnusable
from masking.keyring import Keyring

Row = Mapping[str, object]

_RUNS: Final = {
    "run_id": "STRING",
    "event": "STRING",
    "day": "DATE",
    "at": "TIMESTAMP",
    "tables": "INT64",
    "published": "INT64",
    "exit_code": "INT64",
    "source_instance": "STRING",
    "snapshot": "STRING",
    "package_version": "STRING",
    "seconds": "FLOAT64",
}
_TABLE_LOADS: Final = {
    "run_id": "STRING",
    "table_name": "STRING",
    "day": "DATE",
    "window_first": "DATE",
    "window_last": "DATE",
    "outcome": "STRING",
    "error": "STRING",
    "rows": "INT64",
    "bytes": "INT64",
    "partitions": "INT64",
    "sums": "STRING",
    "nulled": "STRING",
    "quarantined": "STRING",
    "contract_digest": "STRING",
    "manifest_digest": "STRING",
    "key_checks": "STRING",
    "job_ids": "STRING",
    "expectations": "INT64",
    "expectations_passed": "INT64",
    "warnings": "STRING",
    "seconds": "FLOAT64",
    "peak_mib": "INT64",
    "at": "TIMESTAMP",
}
_ABOUT: Final = {
    "runs": (_RUNS, "One row for the start and one for the end of each run."),
    "table_loads": (_TABLE_LOADS, "One row for each table of each run, published or not."),
}


class Ledger:
    """Appends what ran; nothing is ever changed in it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def ensure(self) -> None:
        """Creates the ledger's dataset and tables where they are missing."""
        dataset = self._warehouse.settings.ops_dataset
        self._warehouse.ensure_dataset(dataset)
        for name, (columns, about) in _ABOUT.items():
            if self._warehouse.find_table(f"{dataset}.{name}") is None:
                table = bigquery.Table(self._warehouse.table_id(f"{dataset}.{name}"), schema=_schema(columns))
                table.description = about
                with translated("A ledger table could not be created"):
                    self._warehouse.client.create_table(table, exists_ok=True, timeout=TIMEOUT_SECONDS, retry=RETRY)

    def append(self, name: str, rows: Sequence[Row]) -> None:
        """Appends rows to `runs` or `table_loads` in one load job: all of them or none."""
        columns, _ = _ABOUT[name]
        destination = self._warehouse.table_id(f"{self._warehouse.settings.ops_dataset}.{name}")
        config = bigquery.LoadJobConfig(
            schema=_schema(columns),
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            schema_update_options=[bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION],  # a ledger of an earlier version
        )
        with translated(f"The ledger's {name} could not be written", "What the run did stands, unrecorded."):
            job = self._warehouse.client.load_table_from_json(
                [{key: _plain(row.get(key)) for key in columns} for row in rows],
                destination,
                job_config=config,
                timeout=TIMEOUT_SECONDS,
            )
            job.result(timeout=300, retry=RETRY)

    def refuse_changed_keys(self, keys: Keyring) -> None:
        """Proves that each key version is still the key under which its first tokens were made.

        Raises:
            KeyUnusable: a version has another check value than the ledger has noted.
        """
        present = {version.version: version.kcv for version in keys.versions}
        changed = [number for number, kcv in self._key_checks().items() if present.get(number) != kcv]
        if changed:
            raise KeyUnusable(
                f"Key version {changed[0]} is not the key that earlier runs used under this version.",
                not_done=NO_ROW_READ,
                advice="Restore the keyring that the ledger's key check values name; a new key needs a new version.",
            )

    def _key_checks(self) -> dict[int, str]:
        """Gives the key check value under which each key version was first used."""
        table = self._warehouse.table_id(f"{self._warehouse.settings.ops_dataset}.table_loads")
        sql = (
            f"SELECT DISTINCT key_checks FROM `{table}` "
            "WHERE outcome IN ('published', 'retokenized') AND key_checks IS NOT NULL"
        )
        with translated("The ledger could not be read"):
            rows = list(self._warehouse.client.query_and_wait(sql, api_timeout=TIMEOUT_SECONDS, retry=RETRY))
        found: dict[int, str] = {}
        for row in rows:
            found |= {int(version): str(kcv) for version, kcv in json.loads(row["key_checks"]).items()}
        return found


def write_report(stage: Stage, run_id: str, report: Mapping[str, object]) -> str:
    """Writes the run report beside the staged files and gives its object name."""
    name = f"{stage.target.prefix}/{run_id}/report.json"
    text = json.dumps(report, ensure_ascii=False, indent=2, default=str)
    stage.write(name, text.encode(), "application/json")
    return name


def now() -> datetime:
    """Gives the present instant (UTC)."""
    return datetime.now(UTC)


def _schema(columns: Mapping[str, str]) -> list[bigquery.SchemaField]:
    return [bigquery.SchemaField(name, kind) for name, kind in columns.items()]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return json.dumps({str(key): str(item) for key, item in value.items()}, ensure_ascii=False, sort_keys=True)
    if isinstance(value, list | tuple):
        return json.dumps([str(item) for item in value], ensure_ascii=False)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
