"""Whatever foreign code says, on driver, JVM and workers, at DEBUG and with Spark's event log: no value is in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from expectations.build import KINDS
from tests.etl.conftest import ROOT
from tests.expectations.test_vocabulary import right

EXPECTATIONS = set(KINDS) - {"expect_column_kl_divergence_to_be_less_than", "expect_multicolumn_values_to_be_unique"}
"""The two end with an error of their own before they look at a row."""
pytestmark = pytest.mark.timeout(1200)
PLANTED = "Kagemusha-planted-77310924"
CONDITIONS = ("cast(status as int) > 3", "to_timestamp(status) is not null", "no_such(status)")
"""What Spark cannot evaluate on the value; functions that raise errors of their own are refused by the linter."""
_SPARK = """
spark.log.level DEBUG
spark.eventLog.enabled true
spark.eventLog.compress false
spark.eventLog.dir file://{folder}
spark.driver.host 127.0.0.1
spark.driver.extraJavaOptions -XX:+HeapDumpOnOutOfMemoryError -Djavax.net.debug=all
"""
_AS_MUCH_AS_ONE_MAY: Final = ["/bin/sh", "-c", 'ulimit -c "$(ulimit -H -c)"; exec "$@"', "sh"]
"""Starts a program that may write core files."""


@dataclass(frozen=True)
class Said:
    """What was printed and logged, and Spark's event log."""

    output: str
    events: str


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Returns all that the talkative program said."""
    folder = tmp_path_factory.mktemp("said")
    for name in ("conf", "events"):
        (folder / name).mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(_SPARK.format(folder=folder / "events"), encoding="utf-8")
    checks = [{"expect": expect, "kwargs": right(expect)} for expect in sorted(EXPECTATIONS)]
    null = "expect_column_values_to_not_be_null"
    checks += [{"expect": null, "kwargs": {"column": "status", "row_condition": one}} for one in CONDITIONS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SPARK_CONF_DIR": str(folder / "conf")}
    environment |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    environment["SSLKEYLOGFILE"] = str(folder / "keys.log")
    submit = str(Path(sys.executable).with_name("spark-submit"))
    program = str(ROOT / "tests/etl/talkative.py")
    done = subprocess.run(  # noqa: S603  our own program
        [*_AS_MUCH_AS_ONE_MAY, submit, "--master", "local[2]", program, PLANTED, json.dumps(checks)],
        env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=1000,
    )  # fmt: skip
    (events,) = (folder / "events").iterdir()
    return Said(done.stdout + done.stderr, events.read_text(encoding="utf-8"))


def test_no_log_holds_the_value(said: Said) -> None:
    """Every expectation and condition ran over it, three processes logged it, and it is in no line."""
    assert {line.split()[0] for line in said.output.splitlines() if line.strip()} >= EXPECTATIONS
    assert PLANTED not in said.output


def test_no_event_holds_the_value(said: Said) -> None:
    """Spark's own record of jobs and failures does not have it either, but as the argument of our program."""
    assert "SparkListenerTaskEnd" in said.events
    assert [line for line in said.events.splitlines() if PLANTED in line.replace(f"talkative.py {PLANTED} ", "")] == []


def test_class_place_and_number_stay(said: Said) -> None:
    """A person sees what was logged or died, where, and how often."""
    for line in (
        "ERROR foreign.Java: message withheld java.lang.RuntimeException",
        "ERROR foreign talkative.py:",
        "message withheld, ValueError",
        "WARNING talkative.py:",
        "message withheld, UserWarning",
        "message withheld, KeyboardInterrupt",
        "DEBUG org.apache.spark",
    ):
        assert line in said.output, line


def test_no_process_leaves_its_memory_behind(said: Said) -> None:
    """Neither the driver nor a worker nor the JVM may write a core file, and the JVM no heap dump."""
    assert "limit (0, 0) [(0, 0)]" in said.output
    assert "of the JVM: [(0, 0), 'false']" in said.output


def test_what_tls_carries_is_not_spelled_out(said: Said) -> None:
    """Java's own debugging of TLS, which writes all that is sent, is off, and no keys of its sessions are written."""
    assert "javax.net.ssl|" not in said.output
    assert "keys of TLS: None [None]" in said.output
