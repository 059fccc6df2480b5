"""What a run read and wrote, as OpenLineage events: tables, columns, and which of them are masked; never a value.

Sources: OpenLineage specification 2-0-2, facets ColumnLineage 1-2-0, Schema 1-2-0, OutputStatistics 1-0-2; naming of
PostgreSQL, MySQL and BigQuery datasets as the specification has it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from etl.ledger import TableResult
from etl.settings import Settings
from schemas.contract import Contract
from schemas.types import bigquery_type

PRODUCER: Final = "https://pypi.org/project/kagemusha"
_SPEC: Final = "https://openlineage.io/spec"
_SECONDS: Final = 5


def events(
    settings: Settings, contracts: Mapping[str, Contract], run_id: str, tables: Sequence[TableResult], ended: datetime
) -> Iterator[dict[str, Any]]:
    """Yields two events for each table of a run: its start, and how it ended."""
    for result in tables:
        contract = contracts[result.table]
        source = _source(settings, contract)
        target = {"namespace": "bigquery", "name": f"{settings.bigquery.project}.{contract.publish}"}
        begun = {
            "eventType": "START",
            "eventTime": (ended - timedelta(seconds=result.seconds)).isoformat(),
            "producer": PRODUCER,
            "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{PRODUCER}/{run_id}/{result.table}"))},
            "job": {"namespace": settings.lineage.namespace, "name": f"kagemusha.{result.table}"},
            "inputs": [source],
            "outputs": [target],
        }
        yield begun
        written = target | {"facets": _facets(contract, source), "outputFacets": _statistics(result)}
        ending = {"eventType": "FAIL" if result.exit_code else "COMPLETE", "eventTime": ended.isoformat()}
        yield begun | ending | {"outputs": [written]}


def send(to: str, told: Iterator[dict[str, Any]]) -> None:
    """Writes events to `file:PATH`, one JSON object a line, or posts each to an address.

    Raises:
        OSError, requests.RequestException: the file cannot be written, or the address does not take an event.
    """
    if to.startswith("file:"):
        with Path(to.removeprefix("file:")).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(event, ensure_ascii=False) + "\n" for event in told)
        return
    with requests.Session() as session:
        for event in told:
            session.post(to, json=event, timeout=_SECONDS).raise_for_status()


def _source(settings: Settings, contract: Contract) -> dict[str, Any]:
    parts, engine = urlsplit(settings.source.url), settings.source.engine
    database = parts.path.strip("/")
    port = parts.port or {"postgres": 5432, "mysql": 3306}[engine]
    name = f"{database}.{contract.source}" if engine == "postgres" else contract.source
    return {"namespace": f"{engine}://{parts.hostname}:{port}", "name": name}


def _facets(contract: Contract, source: Mapping[str, str]) -> dict[str, Any]:
    columns = dict(contract.source_names)
    columns |= {name: contract.source_names[derived.source] for name, derived in contract.derive.items()}
    fields = {
        name: {"inputFields": [{**source, "field": column, "transformations": [_transformation(contract, name)]}]}
        for name, column in columns.items()
    }
    shown = [{"name": name, "type": bigquery_type(contract.output_type(name))} for name in contract.published]
    return {
        "schema": _facet("1-2-0/SchemaDatasetFacet", fields=shown),
        "columnLineage": _facet("1-2-0/ColumnLineageDatasetFacet", fields=fields),
    }


def _transformation(contract: Contract, name: str) -> dict[str, Any]:
    column = contract.selected.get(name)
    strategy = column.mask.strategy if column else contract.derive[name].rule
    same = bool(column and column.kept)
    return {
        "type": "DIRECT",
        "subtype": "IDENTITY" if same else "TRANSFORMATION",
        "description": strategy,
        "masking": bool(column and not column.kept),
    }


def _statistics(result: TableResult) -> dict[str, Any]:
    counts = {"rowCount": result.rows, "size": result.bytes}
    return {"outputStatistics": _facet("1-0-2/OutputStatisticsOutputDatasetFacet", **counts)}


def _facet(which: str, **content: Any) -> dict[str, Any]:  # noqa: ANN401  what JSON holds
    kind = which.split("/")[1]
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{which}.json#/$defs/{kind}", **content}
