"""What BigQuery refuses of a table's resource and local-bigquery takes: names, descriptions, labels, clustering.

Sources: BigQuery documentation, "Specifying a schema", "Creating clustered tables", "Requirements for labels".
Written apart from the contracts' own limits (schemas/bigquery_limits.py), so that each proves the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_RESERVED = (
    "_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER", "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE", "_CHANGE_TIMESTAMP",
)  # fmt: skip
_CLUSTERED = frozenset({
    "STRING", "INTEGER", "INT64", "NUMERIC", "DECIMAL", "BIGNUMERIC", "BIGDECIMAL", "BOOLEAN", "BOOL", "DATE",
    "DATETIME", "TIMESTAMP", "GEOGRAPHY", "RANGE",
})  # fmt: skip
_PARTITIONED = frozenset({"DATE", "DATETIME", "TIMESTAMP"})
_LABEL = re.compile(r"[\w-]{0,63}")
_MOST_CLUSTERED = 4
_COLUMN_DESCRIPTION, _TABLE_DESCRIPTION = 1_024, 16_384


def name_problems(fields: list[Any]) -> Iterator[str]:
    """Yields what BigQuery says against the names and descriptions of columns."""
    names = [field.name or "" for field in fields]
    for name in names:
        if name.upper().startswith(_RESERVED):
            yield f'Invalid field name "{name}". Field names are not allowed to start with a reserved prefix.'
        if sum(other.casefold() == name.casefold() for other in names) > 1:
            yield f'Duplicate field name "{name}". Field names are compared without their case.'
    for field in fields:
        if len(field.description or "") > _COLUMN_DESCRIPTION:
            yield f"The description of field {field.name} is longer than {_COLUMN_DESCRIPTION} characters."


def table_problems(body: Any, fields: list[Any]) -> Iterator[str]:  # noqa: ANN401  the server's untyped resource
    """Yields what BigQuery says against a table that is created or changed.

    Args:
        body: the resource as it was sent.
        fields: the table's columns, whether they were sent or are there.
    """
    if len(body.description or "") > _TABLE_DESCRIPTION:
        yield f"The description is longer than {_TABLE_DESCRIPTION} characters."
    for key, value in (body.labels or {}).items():
        if not all(_LABEL.fullmatch(part) and part == part.lower() for part in (key, value or "")):
            yield f"Label {key} has a key or value that is too long or has characters that are not allowed."
    types = {(field.name or "").casefold(): (field.type or "", field.mode or "") for field in fields}
    clustered = [name.casefold() for name in (body.clustering and body.clustering.fields) or []]
    if len(clustered) > _MOST_CLUSTERED or len(set(clustered)) < len(clustered):
        yield f"A table is clustered by at most {_MOST_CLUSTERED} fields, each once."
    for name in clustered:
        kind, mode = types.get(name, ("", ""))
        if kind.upper() not in _CLUSTERED or mode == "REPEATED":
            yield f"The field specified for clustering has a type that cannot be clustered or is not there: {name}"
    column = body.timePartitioning and body.timePartitioning.field
    if column and types.get(column.casefold(), ("", ""))[0].upper() not in _PARTITIONED:
        yield f"The field specified for partitioning is no DATE, DATETIME or TIMESTAMP: {column}"
