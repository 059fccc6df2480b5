"""A run that is killed loses nothing, leaves nothing running, and the next run ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl.ledger import Ledger, release_leases
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from scripts.local_stack.processes import wait_until
from tests.etl.conftest import DAY, ROOT, Issuer, Republish

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
TABLES = ("members", "payments")
PATIENCE_SECONDS = 20
# Changes that undo themselves when made again, of a table that is replaced whole and of one that is by business days.
CHANGES = (
    "UPDATE issuing.members SET marketing_opt_in = NOT marketing_opt_in WHERE member_id % 3 = 0",
    "UPDATE ledger.payments SET is_recurring = NOT is_recurring WHERE payment_id % 3 = 0",
)
MARK = "SELECT md5(string_agg(p::text, '|' ORDER BY payment_id)) FROM ledger.payments p"
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Target:
    """A few contracts that publish into datasets of their own."""

    issuer: Issuer
    folder: Path
    contracts: dict[str, Contract]

    def run(self) -> None:
        """Runs them to the end, in this process."""
        self.issuer.load(DAY, *TABLES, contracts=self.folder)

    def rows(self) -> Rows:
        """Returns every published row, by table and, where a table is replaced by business days, by day."""
        found: Rows = {}
        for name, contract in self.contracts.items():
            for row in self.issuer.rows(contract):
                day = row[-1] if contract.window_column else "all"
                found.setdefault(f"{name} {day}", []).append(row)
        return found


def _target(issuer: Issuer, folder: Path) -> Target:
    return Target(issuer, folder, load_contracts(folder))


class Bench:
    """The target whose runs are killed, and what undisturbed runs publish before and after a change of the source.

    Args:
        killed: the target; what it holds after an undisturbed run is one state.
        undisturbed: another one, that holds the other state after a run on the changed source.
    """

    def __init__(self, killed: Target, undisturbed: Target) -> None:
        self.killed = killed
        killed.run()
        self.old = killed.rows()
        self._change()
        undisturbed.run()
        self.new = undisturbed.rows()
        self._change()
        self.changed = False

    def turn(self) -> None:
        """Changes the source, or changes it back; `old` is what is published, `new` what a run must publish now."""
        if self.changed:
            self.old, self.new = self.new, self.old
        if self.killed.rows() != self.old:  # an earlier test failed
            self.killed.run()
        self._change()
        self.changed = True

    def lost(self) -> set[str]:
        """Returns the runs that the ledger saw start and not end."""
        ended = "SELECT run_id FROM ops.runs WHERE event = 'ended'"
        sql = f"SELECT run_id FROM ops.runs WHERE run_id NOT IN ({ended})"
        return {run_id for (run_id,) in self.killed.issuer.published(sql)}

    def _change(self) -> None:
        for sql in CHANGES:
            self.killed.issuer.source(sql)


@pytest.fixture(scope="module")
def bench(issuer: Issuer, republished: Republish) -> Iterator[Bench]:
    """Yields the bench; the source is as it was when the module ends."""
    before = issuer.source(MARK)
    yield Bench(_target(issuer, republished("killed", *TABLES)), _target(issuer, republished("undisturbed", *TABLES)))
    if issuer.source(MARK) != before:
        for sql in CHANGES:
            issuer.source(sql)
    assert issuer.source(MARK) == before


def _members(session: int) -> set[int]:
    """Returns the running processes of a session: a driver and all that it started."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.add(int(entry.name))
    return found


def _killed_at(target: Target, table: str, step: str) -> set[str]:
    """Starts a run, kills its driver when it says that a table reached a step; gives the tables published by then.

    Nothing that the driver started may outlive it for long, nor any of its sessions on the database.
    """
    settings = str(target.issuer.ends.settings)
    command = [sys.executable, "-m", "etl.cli", "run", "--day", str(DAY), "--contracts", str(target.folder)]
    command += [word for table in TABLES for word in ("--table", table)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    driver = subprocess.Popen(  # noqa: S603  our own command
        [*command, "--settings", settings],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said: list[dict[str, str]] = []
    with driver:
        assert driver.stderr is not None
        for line in driver.stderr:
            said += [json.loads(line)] if line.startswith("{") else []
            if said and (said[-1]["table"], said[-1]["step"]) == (table, step):
                at_work = wait_until(
                    lambda: len(_members(driver.pid)) > len(("driver", "JVM", "daemon")), PATIENCE_SECONDS
                )
                driver.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail(f"the run ended before {table} reached {step}: {said}")
        driver.stderr.close()
        assert driver.wait() == -signal.SIGKILL
    try:
        assert at_work, "there was no worker to outlive the driver"
        assert wait_until(lambda: not _members(driver.pid), PATIENCE_SECONDS), "processes outlived the driver"
    finally:
        for process in _members(driver.pid):
            os.kill(process, signal.SIGKILL)
    with psycopg.connect(target.issuer.ends.source_url, autocommit=True) as standby:
        mine = b"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'kagemusha%'"
        assert wait_until(lambda: standby.execute(mine).fetchone() == (True,), PATIENCE_SECONDS), "sessions outlived it"
    return {told["table"] for told in said if told["step"] == "published"}


@pytest.mark.parametrize(
    "step",
    ["stage", "audit", "publish"],
)
def test_a_killed_run_and_the_next_one_end_as_one_run(bench: Bench, step: str) -> None:
    """After SIGKILL each destination holds its old rows or its new ones, whole; the next run leaves the new ones."""
    bench.turn()
    old, new, table = bench.old, bench.new, "payments"
    assert {name for name in new if new[name] != old[name]} >= {"members all", f"payments {DAY}"}
    lost_before = bench.lost()
    published = _killed_at(bench.killed, table, step)
    (lost,) = bench.lost() - lost_before
    sql = f"SELECT table_name FROM ops.table_loads WHERE run_id = '{lost}' AND outcome = 'published'"
    published |= {name for (name,) in bench.killed.issuer.published(sql)}
    meanwhile = bench.killed.rows()
    assert meanwhile.keys() == old.keys()
    for name, rows in meanwhile.items():
        assert rows in (old[name], new[name]), f"{name} is neither what it was nor what it will be"
    for name, rows in meanwhile.items():
        assert name.split()[0] not in published or rows == new[name], f"{name} was called published and is not"
    if step in {"stage", "audit"}:
        assert {name: rows for name, rows in meanwhile.items() if name.startswith(table)} == {
            name: rows for name, rows in old.items() if name.startswith(table)
        }
    assert release_leases(Ledger(bench.killed.issuer.warehouse), lost) == len(TABLES)  # or they end by themselves
    bench.killed.run()
    assert bench.killed.rows() == new
