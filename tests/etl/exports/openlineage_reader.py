"""Reads OpenLineage events by the models of OpenLineage's own client, in an environment that has it; a line each.

    python openlineage_reader.py FILE

Each model refuses a field that it does not know and one that is missing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import column_lineage_dataset, output_statistics_output_dataset, schema_dataset


def read(event: dict[str, Any]) -> RunEvent:
    """Returns an event as the client's own."""
    given = dict(event)
    given.pop("schemaURL")
    return RunEvent(
        eventType=RunState(given.pop("eventType")),
        eventTime=given.pop("eventTime"),
        producer=given.pop("producer"),
        run=Run(**given.pop("run")),
        job=Job(**given.pop("job")),
        inputs=[InputDataset(**one) for one in given.pop("inputs")],
        outputs=[_output(one) for one in given.pop("outputs")],
        **given,
    )


def _output(given: dict[str, Any]) -> OutputDataset:
    facets, told = given.get("facets", {}), given.get("outputFacets", {})
    return OutputDataset(
        namespace=given["namespace"],
        name=given["name"],
        facets={name: _FACETS[name](_content(facet)) for name, facet in facets.items()},
        outputFacets={name: _FACETS[name](_content(facet)) for name, facet in told.items()},
    )


def _content(facet: dict[str, Any]) -> dict[str, Any]:
    assert facet["_schemaURL"].endswith("DatasetFacet")
    return {name: value for name, value in facet.items() if not name.startswith("_")}


def _lineage(content: dict[str, Any]) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    fields = {}
    for name, field in content.pop("fields").items():
        inputs = []
        for one in field.pop("inputFields"):
            steps = [column_lineage_dataset.Transformation(**step) for step in one.pop("transformations")]
            inputs.append(column_lineage_dataset.InputField(**one, transformations=steps))
        fields[name] = column_lineage_dataset.Fields(inputFields=inputs, **field)
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, **content)


def _schema(content: dict[str, Any]) -> schema_dataset.SchemaDatasetFacet:
    fields = [schema_dataset.SchemaDatasetFacetFields(**one) for one in content.pop("fields")]
    return schema_dataset.SchemaDatasetFacet(fields=fields, **content)


_FACETS = {
    "columnLineage": _lineage,
    "schema": _schema,
    "outputStatistics": lambda content: output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(**content),
}

if __name__ == "__main__":
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        event = read(json.loads(line))
        print(event.eventType.value, event.job.name)  # noqa: T201  the answer
