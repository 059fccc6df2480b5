"""Token maps: while tables are of several key versions, `ops.token_map_<domain>` leads old tokens to present ones.

Views look through the maps, so that they join a table that is renewed already with one that is not yet.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from google.cloud import bigquery

from etl.clock import now
from etl.cloud.bigquery import Warehouse, copy, load, quoted
from etl.cloud.storage import StagingLocation
from etl.publish.fence import BESIDE
from etl.publish.token_versions import is_old, tells_version, version_of_row
from etl.stage import StageChanged, StagedFile, changed_objects
from schemas.contract import Contract
from schemas.domains import rewritable_columns

_PREFIX: Final = "token_map_"
_KEPT: Final = timedelta(days=1)
"""How long a table beside outlives a run that was killed."""
_SCHEMA: Final = (
    bigquery.SchemaField("version", "INT64", description="The key version that made the token."),
    bigquery.SchemaField("token", "STRING", description="The token as it was."),
    bigquery.SchemaField("current", "STRING", description="The token of the same value under the primary version."),
)


def map_table_name(warehouse: Warehouse, domain: str) -> str:
    """Returns dataset.table of a domain's map."""
    return f"{warehouse.settings.ops_dataset}.{_PREFIX}{domain}"


def mapped_domains(warehouse: Warehouse) -> frozenset[str]:
    """Returns the domains that have a map now."""
    warehouse.ensure_dataset(warehouse.settings.ops_dataset)
    tables = warehouse.tables("The token maps could not be listed", warehouse.settings.ops_dataset)
    names = [table.table_id for table in tables]
    return frozenset(each.removeprefix(_PREFIX) for each in names if each.startswith(_PREFIX))


def old_tokens_sql(warehouse: Warehouse, contracts: Iterable[Contract], domain: str, primary: int) -> str:
    """Returns the query of all old tokens of a domain, with the versions that made them; a `WHERE` may follow it."""
    parts = [
        f"SELECT {version_of_row(contract)} AS version, {quoted(column)} AS token "
        f"FROM `{warehouse.table_id(contract.publish)}` "
        f"WHERE {is_old(contract, primary)} AND {quoted(column)} IS NOT NULL"
        for contract in contracts
        for column, strategy in rewritable_columns(contract).items()
        if strategy.domain == domain
    ]
    return f"SELECT version, token FROM ({' UNION DISTINCT '.join(parts)})"


def load_map(warehouse: Warehouse, location: StagingLocation, domain: str, file: StagedFile, job_id: str) -> int:
    """Replaces a domain's map by a staged file in one step, once it is proven beside it; returns its rows.

    Raises:
        StageChanged: storage no longer holds what was staged; the map is as it was.
        PublishFailed: a job failed, or BigQuery holds other rows than were staged; the map is as it was.
    """
    name = map_table_name(warehouse, domain)
    wanted = bigquery.Table(warehouse.table_id(f"{_beside(name)}_{secrets.token_hex(4)}"), schema=list(_SCHEMA))
    wanted.expires = now() + _KEPT
    beside = warehouse.create_table("A staging table could not be created", wanted)
    source = f"{beside.project}.{beside.dataset_id}.{beside.table_id}"
    labels = {"managed_by": "kagemusha"}
    try:
        loading = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            schema=list(_SCHEMA),
            labels=labels,
        )
        job = load(warehouse, [location.uri(file.name)], source, f"{job_id}_{secrets.token_hex(4)}", loading)
        if changed_objects([file], file.name, location) or int(job.output_rows or 0) != file.rows:
            raise StageChanged("The staged token map is not what was staged.", not_done="The map is as it was.")
        copying = bigquery.CopyJobConfig(
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            create_disposition=bigquery.CreateDisposition.CREATE_IF_NEEDED,
            labels=labels,
        )
        copy(warehouse, source, warehouse.table_id(name), job_id, copying)
    finally:
        warehouse.drop_table("A staging table could not be removed", source)
    return file.rows


def _beside(name: str) -> str:
    """Returns where a map is loaded first; no name of a map begins so."""
    dataset, table = name.split(".")
    return f"{dataset}.{BESIDE}{table}"


def drop_map(warehouse: Warehouse, domain: str) -> None:
    """Removes a domain's map; no view may look through it any more."""
    warehouse.drop_table("A token map could not be removed", warehouse.table_id(map_table_name(warehouse, domain)))


def seen_through_maps(warehouse: Warehouse, contract: Contract, domains: Collection[str]) -> str | None:
    """Returns SQL of a table whose tokens are all present ones; None where none of its tokens has a map."""
    columns = {
        column: strategy.domain
        for column, strategy in rewritable_columns(contract).items()
        if strategy.domain in domains and tells_version(contract)
    }
    if not columns:
        return None
    version = version_of_row(contract, "t")
    replaced = ", ".join(
        f"COALESCE(m{number}.current, t.{quoted(column)}) AS {quoted(column)}" for number, column in enumerate(columns)
    )
    joined = " ".join(
        f"LEFT JOIN `{warehouse.table_id(map_table_name(warehouse, domain))}` AS m{number} "
        f"ON m{number}.token = t.{quoted(column)} AND m{number}.version = {version}"
        for number, (column, domain) in enumerate(columns.items())
    )
    return f"(SELECT t.* REPLACE ({replaced}) FROM `{warehouse.table_id(contract.publish)}` AS t {joined})"
