"""Figures of measurements: medians, ratios, processor time a row; as JSON and as a table."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from scripts.benchmarks.peers import ABSENT, PEERS, versions
from scripts.benchmarks.processor import OURS
from scripts.benchmarks.staging import rows_per_s
from scripts.benchmarks.turns import Turns
from scripts.benchmarks.whole_run import STEPS, WholeRun
from scripts.benchmarks.worker_steps import WORKER_STEPS

Figures = dict[str, Any]  # what a JSON file holds
_MICROSECONDS: Final = 1e6
SPARK_JDBC: Final = "spark_jdbc"


def point(runs: Sequence[WholeRun]) -> Figures:
    """Returns what a whole run costs: the median of each figure by itself."""
    parts = runs[0].processor[STEPS[0]]
    return {
        "rows": runs[0].rows,
        "runs": len(runs),
        "seconds": {step: _middle(run.seconds[step] for run in runs) for step in STEPS},
        "whole_seconds": _middle(run.whole for run in runs),
        "processor_seconds": {
            step: {part: _middle(run.processor[step][part] for run in runs) for part in parts} for step in STEPS
        },
        "worker_mib": max(run.worker_mib for run in runs),
        "driver_mib": max(run.driver_mib for run in runs),
        "jvm_mib": max(run.jvm_mib for run in runs),
        "heap_mib": runs[0].heap_mib,
    }


def _middle(costs: Iterable[float]) -> float:
    return round(median(costs), 2)


def keep_point(file: Path, runs: Sequence[WholeRun]) -> None:
    """Adds what whole runs of one size cost to a file of points; a size that is there already is replaced."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    new = {**point(runs), "machine": machine(), "measured_on": today()}
    points = [one for one in kept if abs(one["rows"] - new["rows"]) > new["rows"] // 10] + [new]
    file.write_text(json.dumps(sorted(points, key=lambda one: one["rows"]), indent=2) + "\n", encoding="utf-8")


def summary(turns: Turns) -> Figures:
    """Returns all figures of a comparison."""
    run, rows = point(turns.runs), turns.rows
    speeds = {way: rows_per_s(rows, seconds) for way, seconds in turns.seconds.items()}
    ours, copy = speeds["ours"] or 0, speeds["copy"] or 0
    peers = {name: speed for name, speed in speeds.items() if speed and name in {*PEERS, SPARK_JDBC}}
    figures: Figures = {
        "measured_on": today(),
        "machine": machine(),
        "cores": os.cpu_count(),
        "rows": rows,
        "runs": len(turns.runs),
        "ours_rows_per_s": ours,
        "copy_rows_per_s": copy,
        "copy_selected_rows_per_s": speeds["copy_selected"],
        "spark_jdbc_rows_per_s": speeds.get(SPARK_JDBC),
        "row_wise_python_rows_per_s": round(turns.row_wise),
        "whole_run_rows_per_s": round(rows / run["whole_seconds"]),
        "audit_share": round(run["seconds"]["audit"] / run["whole_seconds"], 3),
        "shares": {step: round(seconds / run["whole_seconds"], 3) for step, seconds in run["seconds"].items()},
        "peers": peers,
        "peer_versions": {name: told for name, told in versions().items() if name in peers},
        "peers_left_out": dict(ABSENT),
        "bytes": {"ours": turns.bytes, **turns.peer_bytes},
        "cpu_us_per_row": cpu_us_per_row(turns, run),
        "cpu_us_per_row_of_run": by_part(run),
        "peak_worker_mib": max(turns.peak_mib, run["worker_mib"]),
        "peak_jvm_mib": run["jvm_mib"],
        "heap_mib": run["heap_mib"],
    }
    figures["ratios"] = ratios(figures)
    return figures


def cpu_us_per_row(turns: Turns, run: Mapping[str, Any]) -> dict[str, float]:
    """Returns our processor microseconds a row by step: those of a worker, and audit and publish of a whole run."""
    worker = {step: round(median(one[step] for one in turns.worker), 2) for step in WORKER_STEPS}
    return {**worker, **{step: sum_of_ours(run, step) for step in ("audit", "publish")}}


def by_part(run: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Returns processor microseconds a row of a whole run: step → part → microseconds."""
    scale = _MICROSECONDS / run["rows"]
    return {
        step: {part: round(seconds * scale, 2) for part, seconds in parts.items()}
        for step, parts in run["processor_seconds"].items()
    }


def sum_of_ours(run: Mapping[str, Any], step: str) -> float:
    """Returns processor microseconds a row of one step of a whole run, servers left out."""
    spent: float = sum(run["processor_seconds"][step][part] for part in OURS)
    return round(spent * _MICROSECONDS / int(run["rows"]), 2)


def ratios(figures: Mapping[str, Any]) -> dict[str, float]:
    """Returns how ours compares with each other way: speed by speed."""
    ours, whole = figures["ours_rows_per_s"], figures["whole_run_rows_per_s"]
    others = {"copy": figures["copy_rows_per_s"], **figures["peers"]}
    staging = {f"staging/{name}": round(ours / speed, 2) for name, speed in others.items()}
    return staging | {f"whole run/{name}": round(whole / speed, 2) for name, speed in others.items()}


def machine() -> str:
    """Returns what the machine is, in a few words."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} cores of {model}"


def today() -> str:
    """Returns the date, as the file says it."""
    return datetime.now(UTC).date().isoformat()


def title(way: str) -> str:
    """Returns what a reader calls a peer."""
    return PEERS[way].title if way in PEERS else "Spark JDBC"


def show(figures: Mapping[str, Any]) -> None:
    """Prints rows a second, ratios, shares, processor time and memory."""
    print(
        f"\n{figures['rows']:,} payments, {figures['machine']}, {figures['measured_on']}, medians of {figures['runs']}"
    )
    lines = {
        "whole run, with audit and publish": figures["whole_run_rows_per_s"],
        "staging alone": figures["ours_rows_per_s"],
        "COPY binary, all columns": figures["copy_rows_per_s"],
        "COPY binary, selected columns": figures["copy_selected_rows_per_s"],
        **{f"{title(name)} → Parquet, unmasked": speed for name, speed in figures["peers"].items()},
        "row-wise Python masker": figures["row_wise_python_rows_per_s"],
    }
    for name, speed in lines.items():
        print(f"{name:52}{speed:>12,} rows/s")
    for name, why in figures["peers_left_out"].items():
        print(f"{name:52}left out: {why}")
    for name, ratio in figures["ratios"].items():
        print(f"{name:52}{ratio:>12.2f}")
    print("shares of a run: " + ", ".join(f"{step} {share:.0%}" for step, share in figures["shares"].items()))
    print("our µs a row: " + ", ".join(f"{step} {spent}" for step, spent in figures["cpu_us_per_row"].items()))
    for step, parts in figures["cpu_us_per_row_of_run"].items():
        print(f"  {step:10}" + ", ".join(f"{part} {spent}" for part, spent in parts.items()))
    print(f"peak: worker {figures['peak_worker_mib']} MiB, JVM {figures['peak_jvm_mib']} MiB of a heap of "
          f"{figures['heap_mib']} MiB")  # fmt: skip
