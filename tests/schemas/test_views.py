"""The bundled views are queries that BigQuery takes, over tables of the contracts' own shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from schemas.contract import Contract
from schemas.contract_file import load_contracts
from schemas.types import bigquery_type
from schemas.view_file import View, load_views
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack

PROJECT = "views-project"
CONTRACTS = load_contracts()


@pytest.fixture(scope="module")
def client(stack: Endpoints) -> Iterator[bigquery.Client]:
    """Yields a client of a project of its own that holds an empty table for each contract."""
    options = ClientOptions(api_endpoint=stack.bigquery)
    with bigquery.Client(PROJECT, AnonymousCredentials(), client_options=options, location=stack.location) as made:
        for dataset in sorted({contract.dataset for contract in CONTRACTS.values()}):
            made.create_dataset(dataset, timeout=20)
        for contract in CONTRACTS.values():
            made.create_table(_empty(contract), timeout=20)
        yield made


@pytest.mark.parametrize("view", load_views(), ids=lambda view: view.name)
def test_a_view_is_answered(client: bigquery.Client, view: View) -> None:
    """The query runs, and gives at least a dimension and a measure under names of their own."""
    query = view.qualified(PROJECT, [contract.publish for contract in CONTRACTS.values()])
    result = client.query(query, retry=None, timeout=20).result(timeout=20)
    names = [field.name for field in result.schema]
    assert result.total_rows == 0
    assert len(set(names)) == len(names) >= 3
    assert not [name for name in names if name.startswith("f0_")]


def _empty(contract: Contract) -> bigquery.Table:
    fields = [bigquery.SchemaField(name, bigquery_type(contract.output_type(name))) for name in contract.published]
    return bigquery.Table(f"{PROJECT}.{contract.publish}", fields)
