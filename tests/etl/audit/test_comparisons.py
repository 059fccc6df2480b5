"""What a load may replace: none, or far fewer rows than there were, is a claim that needs more than an empty table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from etl.audit.comparisons import emptied_results
from etl.plan import TablePlan, mask_plan
from etl.stage import Quarantine, Staged, StagedFile
from expectations.volume import LoadSize
from schemas.business_days import Window
from schemas.contract_file import load_contracts

DAY = date(2023, 8, 30)


def staged(table: str, rows: int, *, estimated: int = 0, may_be_empty: bool = False) -> Staged:
    """Returns what a run staged of a bundled contract's table."""
    contract = load_contracts()[table].model_copy(update={"may_be_empty": may_be_empty})
    window = Window(DAY, DAY) if contract.load.mode in {"partition", "snapshot"} else None
    plan = TablePlan(contract, window, mask_plan(contract, DAY), (), estimated)
    file = StagedFile("a", window.first if window else None, rows, 1, "", 1)
    return Staged(plan, "run", (file,), {}, {}, Quarantine(), {}, 0.0, 0)


@pytest.mark.parametrize(
    ("table", "rows", "before", "passes"),
    [
        ("members", 0, 300, False),
        ("members", 29, 300, False),
        ("members", 30, 300, True),
        ("payments", 0, 300, False),
        ("payments", 1, 300, True),
        ("clubs", 0, 300, False),
        ("clubs", 29, 300, False),
    ],
)
def test_a_load_keeps_its_rows(table: str, rows: int, before: int, passes: bool) -> None:  # noqa: FBT001  the outcome
    """A whole table keeps a tenth of the last load's rows, and a window of days one; a failure stops the table."""
    (found,) = emptied_results(staged(table, rows), [LoadSize(before, {}, {DAY.isoformat(): before})])
    assert found.passed is passes
    assert found.blocks is not passes
    assert found.check.waivable, "a person may sign that it is right"


@pytest.mark.parametrize(
    ("table", "earlier"),
    [
        ("members", [LoadSize(0, {})]),
        ("payments", []),
        ("payments", [LoadSize(300, {}, {"2023-08-29": 300})]),
        ("payments", [LoadSize(0, {}, {"2023-08-30": 0}), LoadSize(300, {}, {"2023-08-30": 300})]),
    ],
)
def test_nothing_is_missed_where_nothing_was(table: str, earlier: list[LoadSize]) -> None:
    """Of a table without rows, or a day that nobody loaded or that the newest load found empty, none is missed."""
    assert emptied_results(staged(table, 0), earlier) == ()


@pytest.mark.parametrize(("rows", "estimated", "stops"), [(0, 50_000, True), (0, 2_550, False), (7, 50_000, False)])
def test_a_first_load_is_compared_with_the_statistics(rows: int, estimated: int, stops: bool) -> None:  # noqa: FBT001  the outcome
    """A table that nobody has loaded yet is not empty where the source's statistics know of many rows."""
    assert any(found.blocks for found in emptied_results(staged("members", rows, estimated=estimated), [])) is stops


def test_a_contract_may_say_that_a_table_may_be_empty() -> None:
    """Then nothing is compared; a merge reads changes, whose number says nothing."""
    assert emptied_results(staged("members", 0, may_be_empty=True), [LoadSize(300, {})]) == ()
    changes = staged("members", 0)
    merging = replace(changes.plan, changes=_Since())  # type: ignore[arg-type]  only asked whether there is a watermark
    assert emptied_results(replace(changes, plan=merging), [LoadSize(300, {})]) == ()


class _Since:
    """Changes since some watermark."""

    watermark = DAY
