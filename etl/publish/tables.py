"""Published tables: created from the contract, evolved by adding columns only, never changed destructively."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse
from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.publish.rights.column_tags import refuse_untagged, tagged
from etl.publish.schema_evolution import refuse_destruction
from schemas.contract import Contract
from schemas.namespaces import refuse_foreign_names
from schemas.types import bigquery_type
from schemas.words import Language

_MILLISECONDS_A_DAY: Final = 86_400_000


def table_schema(contract: Contract, language: Language = "en") -> list[bigquery.SchemaField]:
    """Returns a contract's BigQuery columns in published order; all NULLABLE: the audit proves what is not null."""
    return [_field(contract, name, contract.output_type(name), language) for name in contract.published]


def _field(contract: Contract, name: str, arrow: pa.DataType, language: Language) -> bigquery.SchemaField:
    about = contract.about_column(name).in_language(language)
    if not about:
        return bigquery.SchemaField(name, bigquery_type(arrow), "NULLABLE")
    return bigquery.SchemaField(name, bigquery_type(arrow), "NULLABLE", description=about)


def time_partitioning(contract: Contract) -> bigquery.TimePartitioning | None:
    """Returns the daily partitioning of a contract; None where it has no partitions."""
    if contract.partition_by is None:
        return None
    found = bigquery.TimePartitioning("DAY", field=contract.partition_by)
    # Said even where there is none: a change that leaves it out would leave what is there.
    found.expiration_ms = contract.retention_days * _MILLISECONDS_A_DAY if contract.retention_days else None
    return found


def encryption(warehouse: Warehouse) -> bigquery.EncryptionConfiguration | None:
    """Returns the customer-managed key that the settings name; None leaves encryption to Google's own keys."""
    key = warehouse.settings.kms_key
    return bigquery.EncryptionConfiguration(kms_key_name=key) if key else None


def load_config(contract: Contract, table: bigquery.Table) -> bigquery.LoadJobConfig:
    """Returns how files replace a table that exists, or a part of it; policy tags, descriptions and its key stay."""
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        schema=table.schema,
        labels={"managed_by": "kagemusha", "table": contract.table[:63]},
        destination_encryption_configuration=table.encryption_configuration,
    )


def ensure_table(warehouse: Warehouse, contract: Contract) -> bigquery.Table:
    """Creates the table where it is missing, or brings it up to its contract; returns it as it is then.

    Policy tags, and descriptions that people wrote where the contract has none, stay.

    Raises:
        ContractInvalid: the contract publishes into a dataset of the product.
        PublishRefused: the contract removes or retypes a column, or partitions the table otherwise; its name is not a
            table's; or BigQuery did not set a policy tag that the settings want, or lets the rows end.
    """
    refuse_foreign_names([contract], {}, warehouse.settings.own_datasets, NOT_PUBLISHED)
    warehouse.ensure_dataset(contract.dataset)
    found, rights = warehouse.find_table(contract.publish), warehouse.settings.rights
    if found is not None:
        refuse_destruction(contract, found, table_schema(contract, warehouse.settings.descriptions))
    table = _add(warehouse, contract, found or _create(warehouse, contract))
    refuse_untagged(table.schema, contract, rights)
    _refuse_ending(table, contract)
    return table


def _create(warehouse: Warehouse, contract: Contract) -> bigquery.Table:
    table = bigquery.Table(warehouse.table_id(contract.publish), schema=_wanted(warehouse, contract))
    table.description = contract.about.in_language(warehouse.settings.descriptions)
    table.labels = {"managed_by": "kagemusha", "load_mode": contract.load.mode}
    table.time_partitioning = time_partitioning(contract)
    table.encryption_configuration = encryption(warehouse)
    table.clustering_fields = list(contract.cluster_by) or None
    if table.time_partitioning and contract.require_partition_filter:
        table.require_partition_filter = True
    return warehouse.create_table("A table could not be created", table)


def _add(warehouse: Warehouse, contract: Contract, table: bigquery.Table) -> bigquery.Table:
    wanted = {field.name: field for field in _wanted(warehouse, contract)}
    described = [_described(field, wanted[field.name].description) for field in table.schema]
    kept = tagged(described, contract, warehouse.settings.rights)
    added = [field for name, field in wanted.items() if name not in {field.name for field in table.schema}]
    changed = []
    if [*kept, *added] != list(table.schema):
        table.schema = [*kept, *added]
        changed.append("schema")
    about = contract.about.in_language(warehouse.settings.descriptions)
    if table.description != about:
        table.description = about
        changed.append("description")
    if tuple(table.clustering_fields or ()) != contract.cluster_by:
        table.clustering_fields = list(contract.cluster_by) or None
        changed.append("clustering_fields")
    if table.labels.get("load_mode") != contract.load.mode:
        table.labels = {**table.labels, "load_mode": contract.load.mode}
        changed.append("labels")
    partitioning = time_partitioning(contract)
    if table.time_partitioning and partitioning and table.time_partitioning.expiration_ms != partitioning.expiration_ms:
        table.time_partitioning = partitioning
        changed.append("time_partitioning")
    if partitioning and bool(table.require_partition_filter) != contract.require_partition_filter:
        table.require_partition_filter = contract.require_partition_filter
        changed.append("require_partition_filter")
    if table.expires is not None:  # by hand, or because its dataset lets all tables end
        table.expires = None
        changed.append("expires")
    if not changed:
        return table
    return warehouse.update_table("A table could not be brought up to its contract", table, changed)


def _refuse_ending(table: bigquery.Table, contract: Contract) -> None:
    """Lets a table pass whose rows BigQuery keeps as long as the contract says.

    Raises:
        PublishRefused: table or partitions end earlier, and BigQuery did not change that.
    """
    wanted, found = time_partitioning(contract), table.time_partitioning
    if table.expires is not None or (wanted and found and found.expiration_ms != wanted.expiration_ms):
        raise PublishRefused(
            f"{contract.publish} or its partitions would end by themselves, other than the contract says.",
            not_done=NOT_PUBLISHED,
            advice="Take the expiration away by hand (ALTER TABLE … SET OPTIONS), or set `retention_days`.",
            where={"table": contract.table},
        )


def _wanted(warehouse: Warehouse, contract: Contract) -> list[bigquery.SchemaField]:
    fields = table_schema(contract, warehouse.settings.descriptions)
    return tagged(fields, contract, warehouse.settings.rights)


def _described(field: bigquery.SchemaField, description: str | None) -> bigquery.SchemaField:
    if not description or field.description == description:
        return field
    return bigquery.SchemaField.from_api_repr({**field.to_api_repr(), "description": description})
