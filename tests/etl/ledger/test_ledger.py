"""The ledger on a real BigQuery server: rows are written once, and a ledger of an earlier version goes on."""

from __future__ import annotations

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from google.cloud import bigquery

from etl.clock import now
from etl.cloud.bigquery import Warehouse
from etl.ledger import Ledger, check_rows
from etl.ledger.tables import TABLES
from etl.settings import load_settings
from expectations.checks import Check, CheckResult
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack
_SQL = re.compile(r"^(SELECT|UPDATE|DELETE|INSERT|WITH|WHERE|AND|ORDER BY) |\b(UNION ALL SELECT|ORDER BY) ")


def unmade_ledger(stack: Endpoints, dataset: str) -> Ledger:
    """Returns a ledger in a dataset of its own that has no table yet."""
    settings = load_settings(stack.settings).bigquery.model_copy(update={"ops_dataset": dataset})
    found = Ledger(Warehouse(settings))
    found.warehouse.ensure_dataset(dataset)
    return found


def test_a_row_that_is_written_twice_is_there_once(stack: Endpoints) -> None:
    """Writing the same rows again finds the job that wrote them; other rows are written besides."""
    book = unmade_ledger(stack, "once_ops")
    book.ensure()
    rows = [{"run_id": "r", "event": event, "at": now()} for event in ("started", "ended")]
    book.append("runs", rows)
    book.append("runs", rows)
    book.append("runs", [{"run_id": "s", "event": "started", "at": now()}])
    assert [row["n"] for row in book.read(f"SELECT COUNT(*) AS n FROM `{book.table_id('runs')}`")] == [3]


def test_rows_of_many_threads_are_all_there_once(stack: Endpoints) -> None:
    """Sixteen tables that end at the same moment write one row each, in fewer load jobs than rows."""
    book = unmade_ledger(stack, "together_ops")
    book.ensure()
    at_once = Barrier(16)

    def note(number: int) -> None:
        at_once.wait()
        book.append_one("stages", {"run_id": "r", "table_name": f"t{number}", "at": now()})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(note, range(16)))
    sql = f"SELECT table_name, COUNT(*) AS n FROM `{book.table_id('stages')}` GROUP BY table_name"
    assert {row["table_name"]: row["n"] for row in book.read(sql)} == {f"t{number}": 1 for number in range(16)}
    jobs = [job.destination for job in book.warehouse.client.list_jobs() if isinstance(job, bigquery.LoadJob)]
    assert 0 < sum(one.dataset_id == "together_ops" for one in jobs) < 16


def test_an_earlier_ledger_gets_what_is_new_and_keeps_its_rows(stack: Endpoints) -> None:
    """A table without today's columns gets them, with their descriptions, and the view of audits stands on them."""
    book = unmade_ledger(stack, "old_ops")
    old = bigquery.Table(book.table_id("table_loads"))
    old.schema = [bigquery.SchemaField("run_id", "STRING"), bigquery.SchemaField("table_name", "STRING")]
    book.warehouse.client.create_table(old)
    book.warehouse.client.query_and_wait("INSERT INTO old_ops.table_loads (run_id) VALUES ('before')")
    book.ensure()
    checks = [{"expectation": "expect_table_row_count_to_equal", "columns": ["a", "b"], "passed": False, "failed": 2}]
    book.append("table_loads", [{"run_id": "after", "table_name": "t", "at": now(), "checks": checks}])
    assert {row["run_id"] for row in book.read("SELECT run_id FROM old_ops.table_loads")} == {"before", "after"}
    ((check),) = book.read("SELECT run_id, expectation, columns, passed, failed FROM old_ops.audits")
    assert tuple(check.values()) == ("after", "expect_table_row_count_to_equal", "a, b", False, 2)
    for table in TABLES:
        stands = book.warehouse.find_table(f"old_ops.{table.name}")
        assert stands is not None
        assert {field.name: field.description for field in stands.schema} == {
            field.name: field.description for field in table.fields
        }


def test_checks_of_an_earlier_version_stay_without_arguments(stack: Endpoints) -> None:
    """Checks of a ledger that had no arguments are told without; new ones say what was expected, each its own."""
    book = unmade_ledger(stack, "older_ops")
    (loads,) = (one for one in TABLES if one.name == "table_loads")
    old = bigquery.Table(book.table_id("table_loads"))
    old.schema = [one for one in loads.fields if one.name != "check_arguments"]
    book.warehouse.client.create_table(old)
    book.warehouse.client.query_and_wait(
        "INSERT INTO older_ops.table_loads (run_id, checks) SELECT 'before', [STRUCT('e' AS expectation, "
        "['a'] AS columns, 'blocking' AS severity, 'suite' AS origin, TRUE AS passed, 0 AS failed, 1 AS checked, "
        "'' AS error, '' AS waived_by)]"
    )
    book.ensure()
    results = [CheckResult(Check("e", {"column": name}), passed=True) for name in "ab"]
    book.append("table_loads", [{"run_id": "after", "table_name": "t", "at": now(), **check_rows(results)}])
    rows = book.read("SELECT run_id, columns, arguments FROM older_ops.audits ORDER BY run_id DESC, columns")
    assert [tuple(row) for row in rows] == [
        ("before", "a", None),
        ("after", "a", '{"column": "a"}'),
        ("after", "b", '{"column": "b"}'),
    ]


def test_a_ledger_that_stands_is_not_touched(stack: Endpoints) -> None:
    """Looking again changes nothing: no table is written to, so that a reader may look too."""
    book = unmade_ledger(stack, "still_ops")
    book.ensure()
    before = {table.name: _changed(book, table.name) for table in TABLES}
    book.ensure()
    assert {table.name: _changed(book, table.name) for table in TABLES} == before


def test_no_table_of_the_ledger_ends_by_itself(stack: Endpoints) -> None:
    """A dataset's default, or a person, lets tables end: the ledger takes it back, as it is made and afterwards."""
    book = unmade_ledger(stack, "ending_ops")
    dataset = book.warehouse.client.get_dataset("ending_ops")
    dataset.default_table_expiration_ms = 3_600_000
    book.warehouse.client.update_dataset(dataset, ["default_table_expiration_ms"])
    book.ensure()
    loads = book.warehouse.find_table("ending_ops.table_loads")
    assert loads is not None
    assert loads.expires is None
    loads.expires = now() + timedelta(hours=1)
    book.warehouse.client.update_table(loads, ["expires"])
    book.ensure()
    listed = book.warehouse.tables("It failed", "ending_ops")
    assert {one.table_id: one.expires for one in listed if one.table_type == "TABLE"} == {
        table.name: None for table in TABLES
    }


def _changed(book: Ledger, name: str) -> object:
    found = book.warehouse.find_table(f"still_ops.{name}")
    return found.etag if found else None


def test_reserved_names_are_quoted() -> None:
    """BigQuery refuses `at` and `current` bare, which the local server does not: queries of ours quote them."""
    bare = re.compile(r"(?<![\w.`'\"@])(at|current)(?![\w`'\"])")
    found = []
    for path in sorted((Path(__file__).parents[3] / "etl").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.search(node.value):
                found += [f"{path.name}:{node.lineno} {name}" for name in bare.findall(node.value)]
    assert found == []
