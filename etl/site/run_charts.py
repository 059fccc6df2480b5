"""Charts of runs: rows, seconds by step, bytes, failures; and small lines of one table's loads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from etl.reports.facts.runs import LoadFacts, RunFacts
from etl.reports.words.wording import Wording
from etl.site.charts.bars import bars
from etl.site.charts.columns import columns
from etl.site.charts.drawing import Chart
from etl.site.charts.spark import spark

_SHOWN: Final = 30
_STEPS: Final = ("stage", "audit", "rest")


def run_charts(runs: Sequence[RunFacts], say: Wording) -> dict[str, Chart]:
    """Returns the charts of the last runs that loaded tables, oldest first, by the keys of their words."""
    shown = [one for one in runs if one.loads][:_SHOWN][::-1]
    names = labels(shown)
    told: dict[str, Callable[[RunFacts], float]] = {
        "rows_by_run": lambda run: run.rows,
        "bytes_by_run": lambda run: run.bytes,
        "failures_by_run": lambda run: len(run.failed),
    }
    charts = {key: _plain(say, key, names, shown, value) for key, value in told.items()}
    steps = {
        (name, say.text(f"step.{step}")): seconds
        for name, run in zip(names, shown, strict=True)
        for step, seconds in step_seconds(run.loads).items()
    }
    charts["seconds_by_run"] = columns(say.text("runs.seconds_by_run"), say.text("runs.run"), steps)
    return charts


def step_seconds(loads: Sequence[LoadFacts]) -> dict[str, float]:
    """Returns how long tables took by step; what no step names was planning, waiting and publishing."""
    known = {step: sum(one.steps.get(step, 0.0) for one in loads) for step in _STEPS[:2]}
    return {**known, "rest": max(0.0, sum(one.seconds for one in loads) - sum(known.values()))}


def _plain(
    say: Wording, key: str, names: Sequence[str], runs: Sequence[RunFacts], value: Callable[[RunFacts], float]
) -> Chart:
    label = say.text(f"runs.{key}")
    return columns(
        label, say.text("runs.run"), {(name, label): value(run) for name, run in zip(names, runs, strict=True)}
    )


def labels(runs: Sequence[RunFacts]) -> list[str]:
    """Returns a short name for each run: its business day, numbered where a day has several."""
    days = [f"{one.day:%m-%d}" for one in runs]
    return [
        day if days.count(day) == 1 else f"{day} ({days[: place + 1].count(day)})" for place, day in enumerate(days)
    ]


def table_seconds(run: RunFacts, say: Wording) -> Chart:
    """Returns how long each table of a run took, longest first."""
    slowest = sorted(run.loads, key=lambda one: -one.seconds)[:_SHOWN]
    head = (say.text("catalog.table"), say.text("runs.seconds"))
    return bars(say.text("runs.seconds_by_table"), head, {one.table: one.seconds for one in slowest if one.seconds})


def history(table: str, runs: Sequence[RunFacts]) -> list[LoadFacts]:
    """Returns the published loads of a table, oldest first."""
    return [load for run in reversed(runs) for load in run.loads if load.table == table and load.published]


def rows_line(loads: Sequence[LoadFacts], say: Wording) -> str:
    """Returns a small line of the rows of loads; empty where there is none."""
    rows = [float(one.rows or 0) for one in loads]
    return spark(f"{say.text('catalog.rows')}: {rows[-1]:,.0f}", rows) if rows else ""


def null_lines(loads: Sequence[LoadFacts]) -> list[tuple[str, str, str]]:
    """Returns column, last share of NULLs and a small line for each column that has any."""
    counted = [one for one in loads if one.rows and one.nulls]
    if not counted:
        return []
    found = []
    for name in counted[-1].nulls:
        shares = [one.nulls[name] / one.rows for one in counted if one.rows and name in one.nulls]
        if any(shares):
            shown = f"{100 * shares[-1]:.1f} %"
            found.append((name, shown, spark(f"{name}: {shown}", shares, most=1.0)))
    return found
