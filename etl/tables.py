"""Published tables: created from the contract, evolved by adding columns only, never changed destructively."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from google.cloud import bigquery

from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from schemas.contract import Contract
from schemas.types import bigquery_type

_MILLISECONDS_A_DAY: Final = 86_400_000
_LEGACY: Final = {
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}


def table_schema(contract: Contract) -> list[bigquery.SchemaField]:
    """Gives the BigQuery columns of a contract, in published order; all NULLABLE, the audit proves what is not null."""
    return [_field(contract, name, contract.output_type(name)) for name in contract.published]


def _field(contract: Contract, name: str, arrow: pa.DataType) -> bigquery.SchemaField:
    about = contract.about_column(name)
    if not about:
        return bigquery.SchemaField(name, bigquery_type(arrow), "NULLABLE")
    return bigquery.SchemaField(name, bigquery_type(arrow), "NULLABLE", description=about)


def time_partitioning(contract: Contract) -> bigquery.TimePartitioning | None:
    """Gives the daily partitioning of a contract; None where it has no partitions."""
    if contract.partition_by is None:
        return None
    expiration = contract.retention_days * _MILLISECONDS_A_DAY if contract.retention_days else None
    return bigquery.TimePartitioning("DAY", field=contract.partition_by, expiration_ms=expiration)


def ensure_table(warehouse: Warehouse, contract: Contract) -> bigquery.Table:
    """Creates the table where it is missing, adds columns, sets its retention, and gives it as it now stands.

    Policy tags, and descriptions that people wrote where the contract has none, stay.

    Raises:
        PublishRefused: the contract removes or retypes a column, or partitions or clusters the table otherwise.
    """
    warehouse.ensure_dataset(contract.dataset)
    found = warehouse.find_table(contract.publish)
    if found is None:
        return _create(warehouse, contract)
    _refuse_destruction(contract, found)
    return _add(warehouse, contract, found)


def _create(warehouse: Warehouse, contract: Contract) -> bigquery.Table:
    table = bigquery.Table(warehouse.table_id(contract.publish), schema=table_schema(contract))
    table.description = contract.about
    table.labels = {"managed_by": "kagemusha", "load_mode": contract.load.mode}
    table.time_partitioning = time_partitioning(contract)
    table.clustering_fields = list(contract.cluster_by) or None
    if table.time_partitioning and contract.require_partition_filter:
        table.require_partition_filter = True
    with translated("A table could not be created"):
        return warehouse.client.create_table(table, exists_ok=True, timeout=TIMEOUT_SECONDS, retry=RETRY)


def _refuse_destruction(contract: Contract, table: bigquery.Table) -> None:
    wanted = {field.name: field for field in table_schema(contract)}
    present = {field.name: _standard(field.field_type) for field in table.schema}
    problems = [f"column {name} would be removed" for name in present if name not in wanted]
    problems += [
        f"column {name} would change from {kind} to {wanted[name].field_type}"
        for name, kind in present.items()
        if name in wanted and wanted[name].field_type != kind
    ]
    by = table.time_partitioning.field if table.time_partitioning else None
    if by != contract.partition_by:
        problems.append("its partitioning would change")
    if tuple(table.clustering_fields or ()) != contract.cluster_by:
        problems.append("its clustering would change")
    if problems:
        raise PublishRefused(
            f"{contract.publish} differs from its contract: {'; '.join(problems)}.",
            not_done=NOT_PUBLISHED,
            advice="Only columns can be added. For more: copy or drop the table in BigQuery, then run again.",
            where={"table": contract.table},
        )


def _add(warehouse: Warehouse, contract: Contract, table: bigquery.Table) -> bigquery.Table:
    wanted = {field.name: field for field in table_schema(contract)}
    kept = [_described(field, wanted[field.name].description) for field in table.schema]
    added = [field for name, field in wanted.items() if name not in {field.name for field in table.schema}]
    changed = []
    if [*kept, *added] != list(table.schema):
        table.schema = [*kept, *added]
        changed.append("schema")
    if table.description != contract.about:
        table.description = contract.about
        changed.append("description")
    partitioning = time_partitioning(contract)
    if table.time_partitioning and partitioning and table.time_partitioning.expiration_ms != partitioning.expiration_ms:
        table.time_partitioning = partitioning
        changed.append("time_partitioning")
    if partitioning and bool(table.require_partition_filter) != contract.require_partition_filter:
        table.require_partition_filter = contract.require_partition_filter
        changed.append("require_partition_filter")
    if not changed:
        return table
    with translated("A table could not be brought up to its contract"):
        return warehouse.client.update_table(table, changed, timeout=TIMEOUT_SECONDS, retry=RETRY)


def _described(field: bigquery.SchemaField, description: str | None) -> bigquery.SchemaField:
    if not description or field.description == description:
        return field
    return bigquery.SchemaField.from_api_repr({**field.to_api_repr(), "description": description})


def _standard(kind: str) -> str:
    return _LEGACY.get(kind, kind)
