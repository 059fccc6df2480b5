"""What a question costs is said before it is asked, and no query of ours may read without a limit."""

from __future__ import annotations

import json
import re

import pytest
from google.cloud import bigquery
from typer.testing import CliRunner

from etl.cli import app
from etl.cloud.bigquery import Warehouse, change, run_statement
from etl.errors import PublishRefused
from etl.reports.cost import FREE_BYTES_A_MONTH, Cost, cost, cost_of_views
from etl.settings import load_settings
from scripts.fault_injection.proxy import Answer, Exchange, FaultProxy, Rule
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack
TIB = 2**40


def test_every_query_names_the_most_that_it_may_read(stack: Endpoints, warehouse: Warehouse) -> None:
    """Queries, statements and pages alike: each request that starts a query has the settings' `maximumBytesBilled`."""
    bodies: list[dict[str, object]] = []

    def notes(exchange: Exchange) -> None:
        bodies.append(json.loads(exchange.body))
        exchange.relay(exchange.forward())

    with (
        FaultProxy(stack.bigquery).running() as proxy,
        proxy.following(Rule("POST", r"/(queries|jobs)(\?|$)", notes, times=100)),
    ):
        limited = Warehouse(warehouse.settings.model_copy(update={"endpoint": proxy.url, "most_gib_billed": 7}))
        limited.ensure_dataset("costs")
        limited.rows("Not read", "SELECT 1 AS one")
        list(limited.batches("SELECT 1 AS one"))
        limited.bytes_of("Not planned", "SELECT 1 AS one", "Nothing ran.")
        run_statement(limited, "CREATE TABLE costs.t AS SELECT 1 AS a", "costs_1", bigquery.QueryJobConfig())
        change(limited, "Not changed", "DELETE FROM costs.t WHERE TRUE")
        change(limited, "Not changed", "DELETE FROM costs.t WHERE TRUE", job_id="costs_2")
    said = [re.findall(r'"maximumBytesBilled": "?(\d+)', json.dumps(body)) for body in bodies]
    assert len(said) == 6
    assert all(one == [str(7 * 2**30)] for one in said), said


@pytest.mark.parametrize(
    ("billed", "left", "usd"),
    [(0, TIB, 7.5), (TIB // 2, TIB // 2, 11.25), (5 * TIB, 0, 15.0), (None, None, 15.0)],
)
def test_the_price_is_of_what_is_not_free(stack: Endpoints, billed: int | None, left: int | None, usd: float) -> None:
    """Two TiB at 7.5 USD: less what is left of the free one; the whole price where BigQuery does not tell.

    The local BigQuery counts no bytes, so its answers are replaced by ones of the real one's form.
    """

    def plans(exchange: Exchange) -> None:
        answer = exchange.forward()
        body = json.loads(answer.body)
        body.setdefault("statistics", {})["totalBytesProcessed"] = str(2 * TIB)
        body["statistics"].setdefault("query", {})["totalBytesProcessed"] = str(2 * TIB)
        exchange.relay(Answer(answer.status, answer.headers, json.dumps(body).encode()))

    def adds_up(exchange: Exchange) -> None:
        if billed is None:
            exchange.answer(403)
            return
        body = {
            "kind": "bigquery#queryResponse",
            "jobComplete": True,
            "schema": {"fields": [{"name": "billed", "type": "INTEGER"}]},
            "rows": [{"f": [{"v": str(billed)}]}],
            "totalRows": "1",
        }
        exchange.relay(Answer(200, [("Content-Type", "application/json")], json.dumps(body).encode()))

    rules = (Rule("POST", "/jobs", plans, "dryRun", times=9), Rule("POST", "/queries", adds_up, "SCHEMA.JOBS", times=9))
    with FaultProxy(stack.bigquery).running() as proxy, proxy.following(*rules):
        settings = load_settings(stack.settings)
        asked = settings.bigquery.model_copy(update={"endpoint": proxy.url})
        found = cost(settings.model_copy(update={"bigquery": asked}), "SELECT 1")
    assert found == Cost(2 * TIB, 15.0, left)
    assert found.billed_usd == pytest.approx(usd)


def test_views_are_planned_each(stack: Endpoints, warehouse: Warehouse) -> None:
    """Every published view has its own figure, and the command says them; a wrong question is refused."""
    warehouse.ensure_dataset("cost_looker")
    view = bigquery.Table(warehouse.table_id("cost_looker.one"))
    view.view_query = "SELECT 1 AS one"
    warehouse.create_table("Not created", view)
    settings = load_settings(stack.settings)
    changed = settings.model_copy(
        update={"bigquery": settings.bigquery.model_copy(update={"views_dataset": "cost_looker"})}
    )
    assert list(cost_of_views(changed)) == ["one"]
    done = CliRunner().invoke(app, ["cost", "SELECT 1", "--settings", str(stack.settings)])
    assert done.exit_code == 0
    assert "would be billed" in done.stdout
    with pytest.raises(PublishRefused, match="Nothing was read, and nothing is billed"):
        cost(settings, "SELECT nothing FROM nowhere.at_all")
    assert FREE_BYTES_A_MONTH == TIB
