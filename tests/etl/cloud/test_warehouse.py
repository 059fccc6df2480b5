"""Queries of ours on a real BigQuery server: values arrive as they are, failures are ours and quote nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from etl.cloud.bigquery import RETRY, Warehouse
from etl.errors import PublishFailed, PublishRefused
from etl.settings import BigQuerySettings, load_settings
from masking.errors import KagemushaError
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    "value",
    ["a 'quoted' text", 7, True, 0.5, Decimal("12.34"), date(2023, 8, 30), datetime(2023, 8, 30, 15, 1, 2, tzinfo=UTC)],
)
def test_a_parameter_comes_back_as_it_was(warehouse: Warehouse, value: str | float | Decimal | date | datetime) -> None:
    """What is bound by its type is the same value to BigQuery."""
    (row,) = warehouse.rows("It failed", "SELECT @given AS given", given=value)
    assert row["given"] == value


def test_several_values_are_looked_up(warehouse: Warehouse) -> None:
    """A list is what UNNEST takes; an empty one holds nothing. A parameter may be called like an argument."""
    sql = "SELECT word FROM UNNEST(['a', 'b', 'c']) AS word WHERE word IN UNNEST(@what) ORDER BY word"
    assert [row["word"] for row in warehouse.rows("It failed", sql, what=("c", "a"))] == ["a", "c"]
    assert warehouse.rows("It failed", sql, what=[]) == []


def test_a_refused_query_quotes_nothing(warehouse: Warehouse) -> None:
    """The error says what failed and what was not done; BigQuery's own error, which can quote a value, is gone."""
    sql = "SELECT 4111111111111111 FROM no_such.place WHERE name = @name"
    with pytest.raises(KagemushaError) as refused:
        warehouse.rows("The places could not be read", sql, not_done="Nobody was asked.", name="Aoi Sato")
    assert str(refused.value).startswith("The places could not be read (")
    assert "Nobody was asked." in str(refused.value)
    assert refused.value.__context__ is None
    assert not any(secret in str(refused.value) for secret in ("4111", "Aoi", "no_such"))


def test_a_dataset_that_is_not_there_is_for_a_person(warehouse: Warehouse) -> None:
    """What a setting names wrongly does not come by itself: exit code 2, unlike a job that was lost."""
    with pytest.raises(PublishRefused) as refused:
        warehouse.tables("The tables could not be listed", "no_such_dataset")
    assert refused.value.exit_code == 2


def test_a_server_that_is_not_there_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, a query ends when the time for retries is over, and the run may be repeated."""
    monkeypatch.setattr(RETRY, "_timeout", 0.1)
    nobody = Warehouse(BigQuerySettings(project="p", endpoint="http://127.0.0.1:9"))
    with pytest.raises(PublishFailed) as failed:
        nobody.rows("The places could not be read", "SELECT 1")
    assert (failed.value.exit_code, failed.value.__context__) == (3, None)


def test_tables_are_made_once_changed_and_removed(warehouse: Warehouse) -> None:
    """Making a table that is there, and removing one that is gone, are no failures; changing one that is gone is."""
    warehouse.ensure_dataset("made")
    name = warehouse.table_id("made.table")
    warehouse.client.query_and_wait("CREATE OR REPLACE TABLE made.table AS SELECT 1 AS n")
    table = warehouse.find_table("made.table")
    assert table is not None
    warehouse.create_table("It failed", table)
    table.description = "Numbers."
    assert warehouse.update_table("It failed", table, ("description",)).description == "Numbers."
    assert [one.table_id for one in warehouse.tables("It failed", "made")] == ["table"]
    warehouse.drop_table("It failed", name)
    warehouse.drop_table("It failed", name)
    assert warehouse.tables("It failed", "made") == []
    with pytest.raises(PublishRefused, match="It failed"):
        warehouse.update_table("It failed", table, ("description",))


def test_a_dataset_is_ensured_once(stack: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen tables of one dataset ask for it once: it is there, as the settings want it, for the rest of the run."""
    own, asked = Warehouse(load_settings(stack.settings).bigquery), []
    get = own.client.get_dataset
    monkeypatch.setattr(own.client, "get_dataset", lambda name, **options: asked.append(name) or get(name, **options))
    for _ in range(16):
        own.ensure_dataset("ensured_once")
    assert asked == ["ensured_once"]
    assert get("ensured_once").labels == {"managed_by": "kagemusha"}
