"""The whole benchmark runs on a few thousand rows: each way loads them all, and figures and picture hold every way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from etl.keys import create_keyring_file
from etl.settings import load_settings
from scripts.benchmarks.figures import cpu_us_per_row, keep_point, point, show, summary
from scripts.benchmarks.ground import planned, seed
from scripts.benchmarks.peers import PEERS, load_by, versions
from scripts.benchmarks.picture import picture
from scripts.benchmarks.staging import copy_seconds
from scripts.benchmarks.turns import Turns
from scripts.benchmarks.whole_run import STEPS, run_apart
from scripts.benchmarks.worker_steps import WORKER_STEPS, steps_apart
from scripts.local_stack.local_stack import Endpoints

ROWS = 3_000


@pytest.fixture(scope="module")
def seeded(stack: Endpoints) -> Endpoints:
    """Returns the stack with a few thousand payments."""
    keyring = Path(load_settings(stack.settings).keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    seed(stack.primary_url, ROWS)
    return stack


@pytest.fixture(scope="module")
def turns(seeded: Endpoints) -> Turns:
    """Returns one turn of each way that needs no session of Spark's beside the run's own."""
    settings = load_settings(seeded.settings)
    plan = planned(settings)
    run = run_apart(seeded.settings, seeded.root)
    found = Turns(rows=run.rows, runs=[run], worker=[steps_apart(seeded.settings)], row_wise=1.0)
    found.took("ours", run.seconds["stage"])
    found.took("copy", copy_seconds(settings.source.url, plan, plan.contract.columns))
    found.took("copy_selected", copy_seconds(settings.source.url, plan, plan.contract.selected))
    found.took("spark_jdbc", None)
    for peer in list(versions()):
        load = load_by(peer, settings.source.url, plan)
        assert load is not None
        assert load.rows == run.rows
        found.took(peer, load.seconds)
        found.peer_bytes[peer] = load.bytes
    return found


def test_a_whole_run_is_told_apart_by_steps(turns: Turns) -> None:
    """All rows are published; each step has its time; workers stage, and the servers' time is not ours."""
    (run,) = turns.runs
    assert run.rows >= ROWS * 0.9
    assert list(run.seconds) == list(STEPS)
    assert all(seconds > 0 for seconds in run.seconds.values())
    assert run.processor["opening"]["jvm"] > 0
    assert run.processor["stage"]["workers"] > 0
    assert {"standby", "storage", "bigquery"} <= set(run.processor["publish"])
    assert run.processor["publish"]["bigquery"] > 0
    assert run.worker_mib > 0


def test_the_figures_hold_every_way(turns: Turns) -> None:
    """Shares add up to the run; each installed peer has a speed and versions; what cannot be had is told why."""
    figures: dict[str, Any] = json.loads(json.dumps(summary(turns)))
    assert sum(figures["shares"].values()) == pytest.approx(1.0, abs=0.01)
    assert figures["audit_share"] == figures["shares"]["audit"]
    assert set(figures["cpu_us_per_row"]) == {*WORKER_STEPS, "audit", "publish"}
    assert set(figures["peers"]) == set(versions()) == set(figures["peer_versions"])
    assert figures["whole_run_rows_per_s"] > 0
    assert figures["spark_jdbc_rows_per_s"] is None
    assert figures["peers_left_out"]
    root = ET.fromstring(picture(figures))  # noqa: S314  our own picture
    texts = [one.text or "" for one in root.iter()]
    assert all(any(PEERS[name].title in text for text in texts) for name in figures["peers"])


def test_the_figures_are_printed(turns: Turns, capsys: pytest.CaptureFixture[str]) -> None:
    """A reader sees speeds, ratios, shares, processor time and memory."""
    show(summary(turns))
    said = capsys.readouterr().out
    assert all(word in said for word in ("rows/s", "whole run/copy", "audit", "µs a row", "standby", "MiB", "left out"))


def test_a_worker_reads_masks_gates_and_writes(turns: Turns) -> None:
    """Each of the worker's steps takes processor time."""
    told = cpu_us_per_row(turns, point(turns.runs))
    assert all(told[step] > 0 for step in WORKER_STEPS)


def test_a_point_replaces_that_of_its_size(turns: Turns, tmp_path: Path) -> None:
    """Points stay in order of rows; measured again, a size has one."""
    file = tmp_path / "points.json"
    keep_point(file, turns.runs)
    keep_point(file, turns.runs)
    (kept,) = json.loads(file.read_text(encoding="utf-8"))
    assert kept["rows"] == turns.rows
    assert kept["machine"]
