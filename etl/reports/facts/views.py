"""What one view is: its words, what it reads, its columns as BigQuery knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.cloud import bigquery

from etl.reports.facts.queries import view_query
from etl.reports.links import Links, links
from etl.settings import BigQuerySettings
from schemas.view_file import View
from schemas.words import LANGUAGES, Language, Text


@dataclass(frozen=True)
class ViewFacts:
    """One view.

    Attributes:
        grain: the columns of which no two rows have the same values.
        date: the column that a report's date control filters; empty where there is none.
        columns: names, types and what they are; as BigQuery knows them, so empty where it is not published.
        tables: the contracts' tables that it reads.
        links: language → where it opens at Google; empty where its tables are on a local server.
    """

    name: str
    publish: str
    about: Text
    sql: str
    grain: tuple[str, ...]
    date: str
    tables: tuple[str, ...]
    columns: tuple[tuple[str, str, Text], ...]
    query: str
    links: Mapping[Language, Links]


def view_facts(
    settings: BigQuerySettings,
    view: View,
    tables: Sequence[str],
    schemas: Mapping[str, Sequence[bigquery.SchemaField]],
) -> ViewFacts:
    """Returns what a view is, with the columns that BigQuery knows of it."""
    fields = schemas.get(view.name, ())
    columns = tuple((one.name, one.field_type, view.columns.get(one.name, Text())) for one in fields)
    dataset = settings.views_dataset
    query = view_query(settings.project, dataset, view.name, [name for name, _, _ in columns], view.date)
    return ViewFacts(
        name=view.name,
        publish=f"{dataset}.{view.name}",
        about=view.about,
        sql=view.showing_groups_of(settings.views.smallest_group).sql,
        grain=view.grain,
        date=view.date or "",
        tables=tuple(tables),
        columns=columns,
        query=query,
        links={} if settings.endpoint else {one: links(settings, [view], one)[0] for one in LANGUAGES},
    )
