"""What becomes of a job that fails, told by a server on loopback that answers as BigQuery's API does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse, jobs, load
from etl.errors import PublishFailed, PublishRefused
from etl.settings import BigQuerySettings
from masking.errors import KagemushaError


@dataclass
class Server:
    """Lets each job that is started fail for the next reason of the script, and succeed when there is none."""

    reasons: list[str]
    started: list[str] = field(default_factory=list)
    url: str = ""
    polled: int | None = None
    """The status that whoever awaits a job is answered; None where jobs are done at once."""

    def answer(self, job: dict[str, object]) -> dict[str, object]:
        """Returns the job as BigQuery would, done at once."""
        reference = job["jobReference"]
        assert isinstance(reference, dict)
        self.started.append(str(reference["jobId"]))
        reason = self.reasons.pop(0) if self.reasons else None
        if self.polled:
            return {**job, "status": {"state": "RUNNING"}}
        status = {"state": "DONE", **({"errorResult": {"reason": reason, "message": "a value"}} if reason else {})}
        return {**job, "status": status, "statistics": {"load": {"outputRows": "3"}}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Yields the running server; tries follow each other without a pause."""
    monkeypatch.setattr(jobs, "_FIRST_PAUSE_SECONDS", 0.0)
    script = Server([])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(200, script.answer(body))

        def do_GET(self) -> None:
            refused = {"reason": "notFound" if script.polled == 404 else "accessDenied", "message": "a value"}
            self._send(script.polled or 200, {"error": {"code": script.polled, "errors": [refused]}})

        def _send(self, status: int, answer: dict[str, object]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        script.url = f"http://127.0.0.1:{listening.server_port}"
        yield script
        listening.shutdown()


def loaded(server: Server) -> bigquery.LoadJob:
    """Loads a file."""
    warehouse = Warehouse(BigQuerySettings(project="p", endpoint=server.url))
    return load(warehouse, ["gs://b/f"], "p.d.t", "job", bigquery.LoadJobConfig())


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "quotaExceeded", "backendError", "jobInternalError"])
def test_what_may_pass_is_tried_again_under_the_next_id(server: Server, reason: str) -> None:
    """A limit, a quota or an error of the server ends in a success when it passes in time."""
    server.reasons = [reason, reason]
    assert loaded(server).output_rows == 3
    assert server.started == ["job", "job_2", "job_3"]


@pytest.mark.parametrize(
    ("reason", "error"), [("invalid", PublishRefused), ("accessDenied", PublishRefused), ("stopped", PublishFailed)]
)
def test_what_cannot_pass_is_not_tried_again(server: Server, reason: str, error: type[KagemushaError]) -> None:
    """Wrong data or a missing grant ends at once; the message of BigQuery is not repeated."""
    server.reasons = [reason]
    with pytest.raises(error) as failed:
        loaded(server)
    assert server.started == ["job"]
    assert "a value" not in str(failed.value)
    assert failed.value.__context__ is None


@pytest.mark.parametrize(("status", "error"), [(404, PublishFailed), (403, PublishRefused)])
def test_a_job_that_is_not_known_any_more_is_the_server_s_failure(
    server: Server, status: int, error: type[KagemushaError]
) -> None:
    """Whoever awaits a job that BigQuery had taken, and is answered 404, runs again; without the right, he does not."""
    server.polled = status
    with pytest.raises(error) as failed:
        loaded(server)
    assert failed.value.exit_code == (3 if error is PublishFailed else 2)
    assert "a value" not in str(failed.value)


def test_the_budget_ends_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time for tries is over, the last failure stands: run again."""
    monkeypatch.setattr(jobs, "_BUDGET_SECONDS", -1.0)
    server.reasons = ["quotaExceeded"] * 9
    with pytest.raises(PublishFailed, match="quotaExceeded") as failed:
        loaded(server)
    assert (failed.value.exit_code, server.started) == (3, ["job"])
