"""Who may read and write a dataset, as the settings say: entries are added, and never taken from anybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from google.cloud import bigquery

from etl.settings import BigQuerySettings

_KINDS: Final = {
    "user": "userByEmail",
    "serviceAccount": "userByEmail",
    "group": "groupByEmail",
    "domain": "domain",
}


def wanted_entries(settings: BigQuerySettings, dataset: str) -> tuple[bigquery.AccessEntry, ...]:
    """Returns the entries that the settings demand of a dataset.

    Where views are to be authorized, every dataset but those of views and of the ledger lets the views read it, so that
    analysts need no access to the tables.
    """
    access = settings.access.get(dataset)
    roles = {"READER": access.readers, "WRITER": access.writers} if access else {}
    entries = [_entry(role, member) for role, members in roles.items() for member in members]
    if settings.authorize_views and dataset not in {settings.views_dataset, settings.ops_dataset}:
        views = {"projectId": settings.project, "datasetId": settings.views_dataset}
        entries.append(bigquery.AccessEntry(None, "dataset", {"dataset": views, "targetTypes": ["VIEWS"]}))
    return tuple(entries)


def lacking(
    present: Iterable[bigquery.AccessEntry], wanted: Sequence[bigquery.AccessEntry]
) -> tuple[bigquery.AccessEntry, ...]:
    """Returns the wanted entries that a dataset does not have yet."""
    there = [_plain(entry) for entry in present]
    return tuple(entry for entry in wanted if _plain(entry) not in there)


def _plain(entry: bigquery.AccessEntry) -> dict[str, object]:
    """Returns an entry without its empty fields: ours have a role of None where BigQuery sends no role."""
    return {key: value for key, value in entry.to_api_repr().items() if value is not None}


def _entry(role: str, member: str) -> bigquery.AccessEntry:
    kind, _, name = member.partition(":")
    return bigquery.AccessEntry(role, _KINDS[kind], name)
