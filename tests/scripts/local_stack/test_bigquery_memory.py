"""What the local BigQuery remembers is what is there: every way to change a table is seen by the next request."""

from __future__ import annotations

import secrets

import pytest
from google.api_core.exceptions import Conflict, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def client(stack: Endpoints) -> bigquery.Client:
    """Returns a client of the server, with a dataset of this module's own."""
    found = bigquery.Client(stack.project, AnonymousCredentials(), client_options={"api_endpoint": stack.bigquery})
    found.create_dataset("remembered", exists_ok=True)
    return found


@pytest.fixture
def name(client: bigquery.Client) -> str:
    """Returns the full name of a table that is not there yet."""
    return f"{client.project}.remembered.t{secrets.token_hex(4)}"


def columns(client: bigquery.Client, name: str) -> list[str]:
    """Returns the columns of a table as the server describes it."""
    return [field.name for field in client.get_table(name).schema]


def test_a_table_that_comes_and_goes_is_seen(client: bigquery.Client, name: str) -> None:
    """Made, dropped and made again with other columns, by requests and by statements: each state is the one told."""
    with pytest.raises(NotFound):
        client.get_table(name)
    client.create_table(bigquery.Table(name, [bigquery.SchemaField("a", "INT64")]))
    assert columns(client, name) == ["a"]
    with pytest.raises(Conflict):
        client.create_table(bigquery.Table(name, [bigquery.SchemaField("b", "INT64")]))
    client.query_and_wait(f"DROP TABLE `{name}`")
    with pytest.raises(NotFound):
        client.get_table(name)
    client.query_and_wait(f"CREATE OR REPLACE TABLE `{name}` AS SELECT 1 AS b, 2 AS c")
    assert columns(client, name) == ["b", "c"]
    client.delete_table(name)
    with pytest.raises(NotFound):
        client.query_and_wait(f"SELECT * FROM `{name}`")


def test_columns_that_are_added_are_seen(client: bigquery.Client, name: str) -> None:
    """By a statement, by an update of the table, and by a load, which adds them within its transaction."""
    client.create_table(bigquery.Table(name, [bigquery.SchemaField("a", "INT64")]))
    client.query_and_wait(f"ALTER TABLE `{name}` ADD COLUMN b INT64")
    assert columns(client, name) == ["a", "b"]
    table = client.get_table(name)
    table.schema = [*table.schema, bigquery.SchemaField("c", "INT64")]
    client.update_table(table, ["schema"])
    assert columns(client, name) == ["a", "b", "c"]
    config = bigquery.LoadJobConfig(
        schema=[bigquery.SchemaField("d", "INT64")],
        write_disposition="WRITE_APPEND",
        schema_update_options=["ALLOW_FIELD_ADDITION"],
    )
    client.load_table_from_json([{"d": 4}], name, job_config=config).result()
    assert columns(client, name) == ["a", "b", "c", "d"]
    assert [tuple(row) for row in client.query_and_wait(f"SELECT * FROM `{name}`")] == [(None, None, None, 4)]


def test_what_is_said_of_a_table_is_seen_and_rows_are_counted(client: bigquery.Client, name: str) -> None:
    """A description changes with its update, and the number of rows with every statement."""
    client.create_table(bigquery.Table(name, [bigquery.SchemaField("a", "INT64")]))
    table = client.get_table(name)
    table.description = "What it is."
    client.update_table(table, ["description"])
    client.query_and_wait(f"INSERT INTO `{name}` VALUES (1), (2)")
    client.query_and_wait(f"DELETE FROM `{name}` WHERE a = 1")
    found = client.get_table(name)
    assert (found.description, found.num_rows) == ("What it is.", 1)


def test_a_dataset_that_comes_and_goes_is_seen(client: bigquery.Client) -> None:
    """Made, listed, deleted with its tables, and no longer there."""
    dataset = f"{client.project}.d{secrets.token_hex(4)}"
    with pytest.raises(NotFound):
        client.get_dataset(dataset)
    client.create_dataset(dataset)
    client.create_table(bigquery.Table(f"{dataset}.t", [bigquery.SchemaField("a", "INT64")]))
    assert [one.table_id for one in client.list_tables(dataset)] == ["t"]
    client.delete_dataset(dataset, delete_contents=True)
    with pytest.raises(NotFound):
        client.get_table(f"{dataset}.t")


def test_a_job_is_known_by_its_id_while_it_runs_and_after(client: bigquery.Client) -> None:
    """A second job of its id is refused, and both how it ended and what it found are told later."""
    job_id = f"remembered_{secrets.token_hex(4)}"
    assert [row["n"] for row in client.query("SELECT 7 AS n", job_id=job_id).result()] == [7]
    with pytest.raises(Conflict):
        client.query("SELECT 8 AS n", job_id=job_id)
    assert client.get_job(job_id).state == "DONE"
    assert job_id in {job.job_id for job in client.list_jobs()}
    failed = client.query("SELECT * FROM remembered.nowhere", job_id=f"{job_id}_failed", job_retry=None)
    with pytest.raises(NotFound):
        failed.result()
    assert client.get_job(f"{job_id}_failed").error_result["reason"] == "notFound"
