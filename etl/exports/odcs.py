"""A contract as the Open Data Contract Standard has it (Bitol, ODCS v3.0.2), for catalogs and other tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from etl.settings import BigQuerySettings
from schemas.contract import Contract
from schemas.types import bigquery_type

API_VERSION: Final = "v3.0.2"
_LOGICAL: Final[Mapping[str, str]] = {
    "STRING": "string",
    "INT64": "integer",
    "FLOAT64": "number",
    "NUMERIC": "number",
    "BIGNUMERIC": "number",
    "BOOL": "boolean",
    "DATE": "date",
    "DATETIME": "date",
    "TIMESTAMP": "date",
    "BYTES": "string",
}


def odcs(contract: Contract, settings: BigQuerySettings) -> dict[str, Any]:
    """Returns a contract as an ODCS document of what is published: dropped columns are not in it.

    Args:
        contract: of one table.
        settings: where it is published.
    """
    published = f"{settings.project}.{contract.publish}"
    found: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": published,
        "name": contract.table,
        "version": contract.digest[:12],
        "status": "active",
        "description": {"purpose": str(contract.about)},
        "servers": [
            {"server": "bigquery", "type": "bigquery", "project": settings.project, "dataset": contract.dataset}
        ],
        "schema": [
            {
                "name": contract.table,
                "physicalName": contract.publish.split(".")[1],
                "physicalType": "table",
                "description": str(contract.about),
                "properties": list(_properties(contract)),
            }
        ],
        "customProperties": [{"property": "loadMode", "value": contract.load.mode}],
    }
    return found


def _properties(contract: Contract) -> Iterator[dict[str, Any]]:
    for name in contract.published:
        kind = bigquery_type(contract.output_type(name))
        found: dict[str, Any] = {"name": name, "logicalType": _LOGICAL[kind], "physicalType": kind}
        about = str(contract.about_column(name))
        found |= {"description": about} if about else {}
        if name in contract.key:
            found |= {"primaryKey": True, "primaryKeyPosition": contract.key.index(name) + 1}
        found["unique"] = contract.key == (name,)
        if name == contract.partition_by:
            found |= {"partitioned": True, "partitionKeyPosition": 1}
        yield found | _of_source(contract, name)


def _of_source(contract: Contract, name: str) -> dict[str, Any]:
    """Returns what the source's column adds: its class, and how it is masked."""
    column = contract.selected.get(name)
    if column is None:
        return {"required": True}
    return {
        "required": not column.nullable,
        "classification": str(column.column_class),
        "customProperties": [{"property": "mask", "value": column.mask.strategy}],
    }
