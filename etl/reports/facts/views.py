"""What one view is: its words, what it reads, its columns as BigQuery knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.cloud import bigquery

from etl.reports.facts.queries import view_query
from schemas.view_file import View
from schemas.words import Text


@dataclass(frozen=True)
class ViewFacts:
    """One view.

    Attributes:
        columns: names, types and what they are; as BigQuery knows them, so empty where it is not published.
        tables: the contracts' tables that it reads.
    """

    name: str
    publish: str
    about: Text
    sql: str
    tables: tuple[str, ...]
    columns: tuple[tuple[str, str, Text], ...]
    query: str


def view_facts(
    project: str,
    dataset: str,
    view: View,
    tables: Sequence[str],
    schemas: Mapping[str, Sequence[bigquery.SchemaField]],
) -> ViewFacts:
    """Returns what a view is, with the columns that BigQuery knows of it."""
    fields = schemas.get(view.name, ())
    columns = tuple((one.name, one.field_type, view.columns.get(one.name, Text())) for one in fields)
    query = view_query(project, dataset, view.name, [name for name, _, _ in columns])
    return ViewFacts(
        name=view.name,
        publish=f"{dataset}.{view.name}",
        about=view.about,
        sql=view.sql,
        tables=tuple(tables),
        columns=columns,
        query=query,
    )
