"""What tests of several packages share: a local stack of their own."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import settings
from moto.server import ThreadedMotoServer

from etl.entry import SEARCHED_AFTER
from scripts.local_stack.local_stack import Endpoints, LocalStack

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

settings.register_profile("no_times", deadline=None)  # a busy machine is slow, and that breaks no promise
settings.load_profile("no_times")

SHORT_LIVED: Final = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
)
"""A test's JVM does not live long enough for its second compiler, which our own sessions do without too, nor for a
proof of the bytecode of Spark's jars, which is an eighth of its start.
"""
os.environ.setdefault("SPARK_SUBMIT_OPTS", SHORT_LIVED)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no test does linear algebra, and every process would make threads

TESTS: Final = Path(__file__).parent
ROOT: Final = TESTS.parent
LONG: Final = (
    "etl/run/test_random_schedules.py",
    "scripts/deploy/test_built_package.py",
    "package/test_installed.py",
    "etl/canaries/test_canaries.py",
    "etl/run/test_kill.py",
    "etl/test_logs.py",
    "etl/upkeep/test_retokenize.py",
    "etl/upkeep/test_rotation.py",
    "etl/run/test_daily.py",
    "etl/run/test_faults.py",
    "etl/canaries/test_canaries_by_jdbc.py",
    "etl/cloud/test_storage.py",
    "etl/source/test_engines.py",
    "etl/publish/test_view_numbers.py",
    "etl/audit/test_both_engines.py",
    "etl/run/test_load_modes.py",
    "test_rooms.py",
    "jobs/test_ending.py",
    "etl/run/test_refusals.py",
    "etl/run/test_staged_run.py",
    "etl/upkeep/test_erase.py",
    "etl/upkeep/test_scan.py",
    "etl/cli/test_broken_files.py",
    "etl/upkeep/test_destroy.py",
    "etl/source/postgres/test_faults.py",
    "etl/source/postgres/test_lost_runs.py",
    "etl/run/test_resume.py",
    "etl/run/test_backfill.py",
    "jobs/test_daily_load.py",
    "scripts/local_stack/test_local_stack.py",
    "scripts/test_synth.py",
    "scripts/benchmarks/test_small_bench.py",
    "scripts/local_stack/test_mariadb.py",
    "etl/ledger/test_outcomes.py",
    "etl/publish/test_merge.py",
    "etl/publish/test_rights.py",
    "etl/reports/test_verify.py",
)
"""Files that take longest, longest first: they start first, so that no process is left alone with one at the end.

pytest-xdist keeps this order with `--no-loadscope-reorder` only; by itself it begins with the files of most tests.
"""


SERVERS: Final = frozenset({"spark", "mysql"})
"""Fixtures that start a server beside the stack: Spark's JVM, and with it the seeded issuer, and MariaDB."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long files first; marks their tests and those with a server, which the desk's loop leaves out."""
    places = {TESTS / name: place for place, name in enumerate(LONG)}
    for item in items:
        if item.path in places or not SERVERS.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leaves what is imported for tests out of searches for unreachable objects, which come as seldom as in a run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*SEARCHED_AFTER)
        gc.enable()


@pytest.fixture(autouse=True)
def messages_come_back() -> Iterator[None]:
    """Lets tests read what is logged, also after one in which a command withheld the messages of this process."""
    factory, warned, died = logging.getLogRecordFactory(), warnings.showwarning, sys.excepthook
    threads, unraisable = threading.excepthook, sys.unraisablehook
    yield
    logging.setLogRecordFactory(factory)
    warnings.showwarning, sys.excepthook = warned, died
    threading.excepthook, sys.unraisablehook = threads, unraisable


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Yields a running stack that belongs to this test session alone; the developer's `.local` is never touched."""
    private = LocalStack(tmp_path_factory.mktemp("stack"))
    try:
        yield private.up()
    finally:
        private.reset()


@pytest.fixture(scope="session")
def aws_server() -> Iterator[str]:
    """Yields the address of an AWS server on loopback; each test names its buckets and secrets for itself."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Yields the one Spark session of all tests that ask for it, and stops it at the end."""
    from etl.spark import spark_session  # noqa: PLC0415  most tests need no Spark

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    session = spark_session()
    yield session
    session.stop()
