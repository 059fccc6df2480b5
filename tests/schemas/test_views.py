"""The bundled views are queries that BigQuery takes, over tables of the contracts' own shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from etl.reports.facts.queries import join_query, table_query
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from schemas.namespaces import GA4_EVENTS
from schemas.types import bigquery_type
from schemas.view_file import View, load_views
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack

PROJECT = "views-project"
CONTRACTS = load_contracts()
GA4_SCHEMA = [
    bigquery.SchemaField("event_date", "STRING"),
    bigquery.SchemaField("event_timestamp", "INT64"),
    bigquery.SchemaField("event_name", "STRING"),
    bigquery.SchemaField("user_id", "STRING"),
    bigquery.SchemaField("user_pseudo_id", "STRING"),
    bigquery.SchemaField("platform", "STRING"),
    bigquery.SchemaField(
        "event_params",
        "RECORD",
        "REPEATED",
        fields=(
            bigquery.SchemaField("key", "STRING"),
            bigquery.SchemaField(
                "value",
                "RECORD",
                fields=(bigquery.SchemaField("string_value", "STRING"), bigquery.SchemaField("int_value", "INT64")),
            ),
        ),
    ),
]
"""Of the export of Google Analytics 4 (its documentation, "BigQuery Export schema"), what views may read."""


@pytest.fixture(scope="module")
def client(stack: Endpoints) -> Iterator[bigquery.Client]:
    """Yields a client of a project of its own that holds an empty table for each contract."""
    options = ClientOptions(api_endpoint=stack.bigquery)
    with bigquery.Client(PROJECT, AnonymousCredentials(), client_options=options, location=stack.location) as made:
        for dataset in sorted({contract.dataset for contract in CONTRACTS.values()}):
            made.create_dataset(dataset, timeout=20)
        for contract in CONTRACTS.values():
            made.create_table(_empty(contract), timeout=20)
        made.create_dataset("ga4", timeout=20)
        made.create_table(bigquery.Table(f"{PROJECT}.ga4.events_20230830", GA4_SCHEMA), timeout=20)
        yield made


@pytest.mark.parametrize("view", load_views(), ids=lambda view: view.name)
def test_a_view_says_what_it_is(view: View) -> None:
    """A view and each of its columns are described in English and Japanese, and its grain is stated."""
    assert view.about.ja
    assert view.grain
    assert set(view.grain) <= set(view.columns)
    assert not [name for name, about in view.columns.items() if not about.ja]
    assert (view.date is None) == (not set(view.grain) & {"business_date", "month", "joined_month", "issued_month"})


@pytest.mark.parametrize("view", load_views(), ids=lambda view: view.name)
def test_a_view_is_answered(client: bigquery.Client, view: View) -> None:
    """The query runs, and gives at least a dimension and a measure under names of their own."""
    tables, events = [contract.publish for contract in CONTRACTS.values()], {GA4_EVENTS: f"`{PROJECT}.ga4.events_*`"}
    query = view.showing_groups_of(10).qualified(PROJECT, [*tables, GA4_EVENTS], events)
    result = client.query(query, retry=None, timeout=20).result(timeout=20)
    names = [field.name for field in result.schema]
    assert result.total_rows == 0
    assert len(set(names)) == len(names) >= 3
    assert not [name for name in names if name.startswith("f0_")]
    assert list(view.columns) == names, "each column is described, in its place"


def _empty(contract: Contract) -> bigquery.Table:
    fields = [bigquery.SchemaField(name, bigquery_type(contract.output_type(name))) for name in contract.published]
    return bigquery.Table(f"{PROJECT}.{contract.publish}", fields)


def test_queries_to_begin_with_are_answered(client: bigquery.Client) -> None:
    """What the catalog offers to copy runs: of each table, of each join, days named where BigQuery demands them."""
    joined = [
        join_query(PROJECT, contract, CONTRACTS[table], column, key)
        for contract in CONTRACTS.values()
        for column, (table, _, key) in ((name, target.partition(".")) for name, target in contract.joins.items())
    ]
    assert len(joined) > len(CONTRACTS)
    for query in (*(table_query(PROJECT, contract) for contract in CONTRACTS.values()), *joined):
        result = client.query(query, retry=None, timeout=20).result(timeout=20)
        names = [field.name for field in result.schema]
        assert len(set(names)) == len(names), "BigQuery takes no two columns of one name"


def test_a_join_names_days_of_both_where_both_demand_them() -> None:
    """A table without a partition of its own names the other's days; one that demands days gets its own beside it."""
    demanding = CONTRACTS["payments"].model_copy(update={"require_partition_filter": True})
    both = join_query("p", CONTRACTS["clearings"], demanding, "payment_id", "payment_id")
    assert both.count("WHERE ") == 1
    assert "WHERE a.cleared_on >= " in both
    assert "\nAND b.authorized_on >= " in both
    other = join_query("p", CONTRACTS["cards"], demanding, "card_id", "card_id")
    assert "WHERE b.authorized_on >= " in other
    assert "b.authorized_on" not in join_query("p", CONTRACTS["clearings"], CONTRACTS["payments"], "payment_id", "x")
