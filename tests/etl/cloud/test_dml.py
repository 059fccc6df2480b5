"""Statements that change rows: those that were overtaken run again, those whose answer was lost run once."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from etl.cloud.bigquery import Warehouse, change
from etl.errors import PublishFailed
from etl.settings import load_settings
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack
_CONFLICT = "Could not serialize access to table shop.counters due to concurrent update"


class Way(ThreadingHTTPServer):
    """The way to BigQuery, on which the next requests that start a query meet what `script` says.

    `conflict`: BigQuery's own refusal of a statement that another one overtook. `lose`: the server gets the request and
    its answer is lost.
    """

    daemon_threads = True

    def __init__(self, server: str, script: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server = urlsplit(server)
        self.script = script
        self.starts = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Way

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        starts = self.command == "POST" and (self.path.split("?")[0].endswith(("/queries", "/jobs")))
        self.server.starts += starts
        fate = self.server.script.pop(0) if starts and self.server.script else "pass"
        if fate == "conflict":
            error = {"reason": "invalidQuery", "message": _CONFLICT, "location": "q", "domain": "global"}
            told = {"error": {"code": 400, "message": _CONFLICT, "errors": [error], "status": "INVALID_ARGUMENT"}}
            self._send(400, "application/json", json.dumps(told).encode())
            return
        onward = http.client.HTTPConnection(self.server.server.hostname or "", self.server.server.port, timeout=30)
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in {"host", "accept-encoding"}
        }
        onward.request(self.command, self.path, body, headers)
        given = onward.getresponse()
        content = given.read()
        if fate == "lose":
            self.close_connection = True
            self.connection.close()
            return
        self._send(given.status, given.headers.get("Content-Type", "application/json"), content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815  the names that http.server asks for

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@contextmanager
def on_the_way(stack: Endpoints, *script: str) -> Iterator[tuple[Warehouse, Way]]:
    """Yields a warehouse whose requests pass a scripted way."""
    way = Way(stack.bigquery, list(script))
    thread = threading.Thread(target=way.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    settings = load_settings(stack.settings).bigquery
    try:
        yield Warehouse(settings.model_copy(update={"endpoint": f"http://127.0.0.1:{way.server_address[1]}"})), way
    finally:
        way.shutdown()
        way.server_close()


@pytest.fixture
def counter(warehouse: Warehouse, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yields a table with one row that counts from 0."""
    warehouse.ensure_dataset("shop")
    name = f"shop.{request.node.name}"
    warehouse.client.query_and_wait(f"CREATE OR REPLACE TABLE {name} AS SELECT 'a' AS name, 0 AS n")
    yield name
    warehouse.client.delete_table(f"{warehouse.settings.project}.{name}")


def count(stack: Endpoints, counter: str) -> int:
    """Returns where the counter stands."""
    (row,) = Warehouse(load_settings(stack.settings).bigquery).client.query_and_wait(f"SELECT n FROM {counter}")
    return int(row["n"])


def test_a_statement_that_was_overtaken_runs_again(stack: Endpoints, counter: str) -> None:
    """BigQuery's refusal of one of two statements is no failure: the statement runs again and counts once."""
    with on_the_way(stack, "conflict", "conflict") as (warehouse, way):
        sql = f"UPDATE {counter} SET n = n + 1 WHERE name = @name"
        assert change(warehouse, "It failed", sql, name="a") == 1
        assert way.starts == 3
    assert count(stack, counter) == 1


def test_a_lost_answer_is_found_again(stack: Endpoints, counter: str) -> None:
    """A statement with an id of its own runs once, also when the answer to its start is lost."""
    with on_the_way(stack, "lose") as (warehouse, way):
        sql = f"UPDATE {counter} SET n = n + 1 WHERE TRUE"
        assert change(warehouse, "It failed", sql, job_id=f"kagemusha_{counter.replace('.', '_')}") == 1
        assert way.starts > 1
    assert count(stack, counter) == 1


def test_a_conflict_that_does_not_end_is_transient(
    stack: Endpoints, counter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overtaken every time, a statement fails with exit code 3, though BigQuery calls a conflict an invalid query."""
    monkeypatch.setattr("etl.cloud.bigquery.dml._FIRST_PAUSE_SECONDS", 0.0)
    with on_the_way(stack, *["conflict"] * 8) as (warehouse, _), pytest.raises(PublishFailed) as failed:
        change(warehouse, "It failed", f"UPDATE {counter} SET n = n + 1 WHERE TRUE")
    assert failed.value.exit_code == 3
    assert failed.value.__context__ is None
    assert "serialize" not in str(failed.value)
    assert count(stack, counter) == 0
