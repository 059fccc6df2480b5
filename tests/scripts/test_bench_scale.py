"""Growth is measured from outside: what processes cost, and what one more of something costs between two sizes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scripts.bench_scale import compared, figures, one_more
from scripts.scale.gauge import Cost, watched

WORK = """
import subprocess, sys, threading, time
busy = "import time; [None for spent in iter(time.process_time, None) if spent > 0.6 and exit()]"
child = subprocess.Popen([sys.executable, "-c", busy])
threading.Thread(target=time.sleep, args=(1.0,)).start()
kept = bytearray(64 * 1024 * 1024)
kept[::4096] = b"x" * len(kept[::4096])
sys.exit(child.wait() or 3)
"""


def cost(cpu: float) -> Cost:
    """Returns the cost of a command that took so many processor seconds."""
    return Cost(1.0, cpu, 0.0, 0.0, peak_mib=1, jvm_mib=0, threads=1, requests={"source": 1})


def test_a_command_and_its_children_are_watched(tmp_path: Path) -> None:
    """The driver's memory and threads, its children's processor time, and its exit code are told."""
    found, code = watched([sys.executable, "-c", WORK], os.environ, tmp_path / "log")
    assert code == 3
    assert found.workers >= 0.3
    assert found.peak_mib >= 64
    assert found.threads >= 2
    assert found.wall >= 0.6
    assert found.jvm == 0


def test_one_more_costs_the_difference_of_two_sizes() -> None:
    """Start-up, which every size pays, is in no step; the figures hold sizes and steps."""
    costs = {10: cost(5.0 + 1.0), 20: cost(5.0 + 2.0), 100: cost(5.0 + 12.0)}
    assert list(one_more(costs)) == pytest.approx([0.1, 0.125])
    told = figures({"tables": costs})["tables"]
    assert isinstance(told, dict)
    assert told["cpu_seconds_of_one_more"] == [0.1, 0.125]
    assert set(told["sizes"]) == {"10", "20", "100"}


def test_what_noise_hides_is_no_ratio() -> None:
    """Runs that grow by less than they differ by themselves have no ratio; others that of the last to the first."""
    assert compared({1: cost(10.0), 100: cost(9.8), 1000: cost(10.6)}) == "nothing that can be told from noise"
    assert compared({10: cost(6.0), 20: cost(7.0), 100: cost(17.0)}).startswith("1.25 times as much")
    for flat in (10.0, 9.8, 10.05):
        assert compared({1: cost(10.0), 100: cost(flat), 1000: cost(12.0)}).startswith("too little at the smallest")
    assert "from three sizes on" in compared({10: cost(6.0), 20: cost(7.0)})
