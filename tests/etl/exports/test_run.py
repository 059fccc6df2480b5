"""What a run tells other tools: lineage and metrics, off by default, without a value, and never able to fail it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource

from etl.exports.lineage import events
from etl.exports.metrics import emf_lines, prometheus_text
from etl.exports.tell import tell
from etl.ledger import LoadOutcome, TableResult
from etl.progress import JsonLines
from etl.settings import Settings
from schemas.contract_file import load_contracts

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-exports" / "bin" / "python"
CONTRACTS = load_contracts()
ENDED = datetime(2023, 8, 30, 17, tzinfo=UTC)
SECRET = "4111111111111111"
SCHEMAS = [
    Resource.from_contents(json.loads(path.read_text(encoding="utf-8")))
    for path in (ROOT / "tests" / "vectors" / "exports" / "openlineage").glob("*.json")
]
LINEAGE: Registry[object] = SCHEMAS @ Registry()
TABLES = (
    TableResult("payments", LoadOutcome.PUBLISHED, rows=1907, bytes=205379, seconds=5.9),
    TableResult("cards", LoadOutcome.PUBLISHED, error=f"an error that quotes {SECRET}", exit_code=1),
)


def settings(**sections: object) -> Settings:
    """Returns settings with sections of their own."""
    plain = {
        "source": {"url": "postgresql://etl_reader@reader.example/issuer"},
        "stage": {"bucket": "issuer-stage"},
        "bigquery": {"project": "issuer-analytics"},
        "keyring": {"ref": "file:none"},
    }
    return Settings.model_validate({**plain, **sections})


def told(**sections: object) -> list[dict[str, object]]:
    """Tells of a run, and returns the warnings that it gave."""
    stream = io.StringIO()
    tell(settings(**sections), CONTRACTS, "run-1", TABLES, JsonLines(stream))
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@contextmanager
def collector(status: int) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Yields the address of a server that takes events, and those that it got."""
    got: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v1/lineage", got
    finally:
        server.shutdown()
        server.server_close()


def test_events_are_of_the_specification() -> None:
    """Each table has a START and an end, under one id that is a UUID, with what the specification demands."""
    found = list(events(settings(), CONTRACTS, "run-1", TABLES, ENDED))
    assert [(one["eventType"], one["job"]["name"]) for one in found] == [
        ("START", "kagemusha.payments"),
        ("COMPLETE", "kagemusha.payments"),
        ("START", "kagemusha.cards"),
        ("FAIL", "kagemusha.cards"),
    ]
    for event in found:
        assert {"eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"} < set(event)
        assert UUID(event["run"]["runId"]).version == 5
        assert datetime.fromisoformat(event["eventTime"]).tzinfo
        (output,) = event["outputs"]
        facets = [*output.get("facets", {}).values(), *output.get("outputFacets", {}).values()]
        assert all({"_producer", "_schemaURL"} < set(facet) for facet in facets)
    assert found[0]["run"] == found[1]["run"] != found[2]["run"]
    assert found[0]["inputs"] == [{"namespace": "postgres://reader.example:5432", "name": "issuer.ledger.payments"}]
    assert found[1]["outputs"][0]["name"] == "issuer-analytics.ledger.payments"


def test_columns_say_whether_they_are_masked() -> None:
    """Kept columns are identities, others are masked by their strategy; derived ones lead to their source."""
    _, ended, *_ = events(settings(), CONTRACTS, "run-1", TABLES, ENDED)
    fields = ended["outputs"][0]["facets"]["columnLineage"]["fields"]
    contract = CONTRACTS["payments"]
    assert set(fields) == {*contract.selected, *contract.derive}

    def step(name: str) -> dict[str, object]:
        (source,) = fields[name]["inputFields"]
        return {"field": source["field"], **source["transformations"][0]}

    masked = {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}
    assert step("pan") == {"field": "pan", "description": "fpe", **masked}
    kept = {"description": "keep", "type": "DIRECT", "subtype": "IDENTITY", "masking": False}
    assert step("amount") == {"field": "amount", **kept}
    day = {"description": "business_date", **masked, "masking": False}
    assert step("authorized_on") == {"field": "authorized_at", **day}


def test_mysql_is_named_as_the_specification_names_it() -> None:
    """A MySQL table has no schema beside its database."""
    found = next(events(settings(source={"url": "mysql://etl@reader.example/issuer"}), CONTRACTS, "r", TABLES, ENDED))
    assert found["inputs"] == [{"namespace": "mysql://reader.example:3306", "name": "ledger.payments"}]


def test_nothing_is_told_unless_the_settings_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    """By default there is no file, no request, no line."""
    assert told() == []
    assert capsys.readouterr().out == ""


def test_a_file_grows_by_each_run(tmp_path: Path) -> None:
    """One event a line; the second run is behind the first; no error's text is in it."""
    for _ in range(2):
        assert told(lineage={"to": f"file:{tmp_path / 'lineage.jsonl'}"}) == []
    lines = (tmp_path / "lineage.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 8
    assert SECRET not in "".join(lines)
    assert json.loads(lines[0])["run"] == json.loads(lines[4])["run"]


def test_an_address_gets_every_event() -> None:
    """Each event is posted as JSON."""
    with collector(201) as (url, got):
        assert told(lineage={"to": url}) == []
    assert [one["eventType"] for one in got] == ["START", "COMPLETE", "START", "FAIL"]
    assert SECRET not in json.dumps(got)


@pytest.mark.parametrize("kind", ["refuses", "is silent", "no such folder"])
def test_a_run_does_not_fail_for_what_is_told_of_it(kind: str, tmp_path: Path) -> None:
    """A collector that refuses or is gone, or a file that cannot be written, is a warning without address or text."""
    if kind == "refuses":
        with collector(500) as (url, got):
            warnings = told(lineage={"to": url})
        assert len(got) == 1, "after the first refusal nothing more is tried"
    else:
        to = "http://127.0.0.1:9/api" if kind == "is silent" else f"file:{tmp_path / 'no' / 'such' / 'file'}"
        warnings = told(lineage={"to": to}, metrics={"prometheus_file": str(tmp_path / "no" / "file")})
        assert warnings[-1]["table"] == "metrics"
    assert (warnings[0]["table"], warnings[0]["step"]) == ("lineage", "warning")
    assert re.fullmatch(r"\w+", str(warnings[0]["error"]))


def test_only_https_leaves_the_machine() -> None:
    """An address that would send lineage readable over a network is no setting."""
    with pytest.raises(ValueError, match=r"lineage\.to"):
        settings(lineage={"to": "http://collector.example/api"})


def test_metrics_are_lines_that_cloudwatch_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """Each table's line names its metrics, and has a number for each under its name."""
    for line, table in zip(emf_lines(TABLES, ENDED), TABLES, strict=True):
        found = json.loads(line)
        (described,) = found["_aws"]["CloudWatchMetrics"]
        assert found["_aws"]["Timestamp"] == 1_693_414_800_000
        assert described["Dimensions"] == [["table"]]
        assert all(isinstance(found[metric["Name"]], int | float) for metric in described["Metrics"])
        assert (found["table"], found["rows"], found["failed"]) == (table.table, table.rows, table.exit_code)
    assert told(metrics={"emf": True}) == []
    printed = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["table"] for line in printed] == ["payments", "cards"]
    assert SECRET not in "".join(printed)


def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    """Every line is a type or a sample of the text format, and a run replaces the file."""
    file = tmp_path / "kagemusha.prom"
    for _ in range(2):
        assert told(metrics={"prometheus_file": str(file)}) == []
    lines = file.read_text(encoding="utf-8").splitlines()
    sample = re.compile(r'kagemusha_last_run_\w+(\{table="\w+"\})? [0-9.]+')
    assert all(line.startswith("# TYPE ") or sample.fullmatch(line) for line in lines)
    assert 'kagemusha_last_run_rows{table="payments"} 1907' in lines
    assert len(lines) == len(prometheus_text(TABLES, ENDED).splitlines()) == len(set(lines))


@pytest.mark.parametrize("table", [*CONTRACTS])
def test_events_are_valid_openlineage(table: str) -> None:
    """Events, and each facet in them, are what OpenLineage's own schemas say."""
    result = TableResult(table, LoadOutcome.PUBLISHED, rows=7, bytes=11, seconds=1.5)
    for event in events(settings(), CONTRACTS, "run-1", [result], ENDED):
        _validate(event, event["schemaURL"])
        (output,) = event["outputs"]
        for facet in {**output.get("facets", {}), **output.get("outputFacets", {})}.values():
            _validate(facet, facet["_schemaURL"])


def test_an_event_that_is_none_is_noticed() -> None:
    """The schemas are read: a column's lineage without its column, and an event without a run, are not valid."""
    result = TableResult("payments", LoadOutcome.PUBLISHED, rows=7, bytes=11, seconds=1.5)
    *_, event = events(settings(), CONTRACTS, "run-1", [result], ENDED)
    facet = event["outputs"][0]["facets"]["columnLineage"]
    del next(iter(facet["fields"].values()))["inputFields"][0]["field"]
    with pytest.raises(ValidationError):
        _validate(facet, facet["_schemaURL"])
    with pytest.raises(ValidationError):
        _validate({name: one for name, one in event.items() if name != "run"}, event["schemaURL"])


def _validate(found: object, url: str) -> None:
    Draft202012Validator({"$ref": url}, registry=LINEAGE, format_checker=FormatChecker()).validate(found)


@pytest.mark.exports
def test_openlineages_own_client_takes_the_events(tmp_path: Path) -> None:
    """The client's models take every event whole: no field is unknown to them, none is missing."""
    told(lineage={"to": f"file:{tmp_path / 'lineage.jsonl'}"})
    reader = Path(__file__).with_name("openlineage_reader.py")
    done = subprocess.run(  # noqa: S603  our own program
        [str(PYTHON), str(reader), str(tmp_path / "lineage.jsonl")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "START kagemusha.payments",
        "COMPLETE kagemusha.payments",
        "START kagemusha.cards",
        "FAIL kagemusha.cards",
    ]
