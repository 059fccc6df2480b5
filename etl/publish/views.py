"""Publishes the views whose tables are all there; while tables have old tokens, views read through token maps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse
from etl.publish.token_maps import mapped_domains, seen_through_maps
from schemas.contract import Contract
from schemas.namespaces import GA4_EVENTS, refuse_foreign_names
from schemas.view_file import View
from schemas.words import Language


def publish_views(
    warehouse: Warehouse,
    contracts: Mapping[str, Contract],
    views: Iterable[View],
    without_maps: Collection[str] = (),
) -> tuple[str, ...]:
    """Creates or replaces every view whose tables are all published; returns the names of those that exist then.

    A view over the app's events exists where the settings name an export of Google Analytics and it has begun.

    While tables are of several key versions, views see their tokens through the token maps, except for the domains in
    `without_maps`.

    Raises:
        ContractInvalid: a view reads what no contract publishes, or is more than one SELECT.
    """
    shown = warehouse.settings.views
    views = tuple(view.showing_groups_of(shown.smallest_group) for view in views)
    queries = {view.name: view.sql for view in views}
    refuse_foreign_names(contracts.values(), queries, warehouse.settings.own_datasets, "No view was created.")
    warehouse.ensure_dataset(warehouse.settings.views_dataset)
    names = [*(contract.publish for contract in contracts.values()), GA4_EVENTS]
    present = {GA4_EVENTS: shown.ga4_export is not None and warehouse.has_tables(shown.ga4_export, "events_")}
    done: list[str] = []
    domains, seen = mapped_domains(warehouse), None
    while domains != seen:  # a retokenization may have opened or closed maps meanwhile
        instead = _present_tokens(warehouse, contracts.values(), domains - frozenset(without_maps))
        instead[GA4_EVENTS] = f"`{shown.ga4_export}.events_*`"
        done = _publish_all(warehouse, views, names, instead, present)
        domains, seen = mapped_domains(warehouse), domains
    return tuple(done)


def _publish_all(
    warehouse: Warehouse,
    views: Iterable[View],
    names: Sequence[str],
    instead: Mapping[str, str],
    present: dict[str, bool],
) -> list[str]:
    """Publishes the views whose tables are all there, some tables being seen through other queries."""
    done = []
    for view in views:
        for table in view.tables(names):
            if table not in present:
                present[table] = warehouse.find_table(table) is not None
        if all(present[table] for table in view.tables(names)):
            _publish(warehouse, view, view.qualified(warehouse.settings.project, names, instead))
            done.append(view.name)
    return done


def _present_tokens(warehouse: Warehouse, contracts: Iterable[Contract], domains: Collection[str]) -> dict[str, str]:
    """Gives, for tables some of whose tokens have a newer form, the query that shows these; see `token_maps.py`."""
    seen = {contract.publish: seen_through_maps(warehouse, contract, domains) for contract in contracts}
    return {table: sql for table, sql in seen.items() if sql}


def _publish(warehouse: Warehouse, view: View, sql: str) -> None:
    name = f"{warehouse.settings.views_dataset}.{view.name}"
    about = view.about.in_language(warehouse.settings.descriptions)
    failed, not_done = f"View {name} could not be created", "The tables are published; the view is as it was."
    found = warehouse.find_table(name)
    if found is None or found.view_query != sql or found.description != about:
        table = bigquery.Table(warehouse.table_id(name))
        table.view_query, table.description = sql, about
        if found is None:
            found = warehouse.create_table(failed, table, not_done)
        else:
            found = warehouse.update_table(failed, table, ["view_query", "description"], not_done)
    described = [_described(field, view, warehouse.settings.descriptions) for field in found.schema]
    if described != list(found.schema):
        found.schema = described
        warehouse.update_table(failed, found, ["schema"], not_done)


def _described(field: bigquery.SchemaField, view: View, language: Language) -> bigquery.SchemaField:
    """Returns a view's column with its description; BigQuery takes descriptions of a view that exists."""
    about = view.columns[field.name].in_language(language) if field.name in view.columns else ""
    if not about or field.description == about:
        return field
    return bigquery.SchemaField.from_api_repr({**field.to_api_repr(), "description": about})
