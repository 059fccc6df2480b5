"""The model of `expectations/<table>.yaml`: a table's own suite in Great Expectations' vocabulary, and comparisons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from expectations.checks import Check, Severity
from schemas.package_data import data_folder

BUNDLED = data_folder("expectations")
"""The suites that ship with the package."""

Share = Annotated[float, Field(ge=0, le=1)]


class _Reviewed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Expectation(_Reviewed):
    """One expectation, as Great Expectations spells it."""

    expect: str = Field(pattern=r"^expect_[a-z_]+$")
    severity: Severity = "blocking"
    kwargs: dict[str, Any] = Field(default_factory=dict)  # Any: each expectation has its own arguments


class Joins(_Reviewed):
    """How the tokens of the contract's `joins:` are looked up in the tables that they name."""

    check: bool = Field(default=True, description="False: joins are not looked up.")
    severity: Severity = "warning"
    mostly: Share = Field(1.0, description="The share of tokens that must be found.")
    leave_out: tuple[str, ...] = Field(
        (), description="Columns whose tokens need not be in the other table: applicants who never became members."
    )


class Volume(_Reviewed):
    """How far a load may differ from the median of the loads before it."""

    check: bool = Field(default=True, description="False: volume is not compared.")
    severity: Severity = "warning"
    loads: int = Field(5, ge=2, le=60, description="Earlier loads that are needed, and of which the median is taken.")
    rows: Share = Field(
        0.5, description="The row count may be so much smaller or larger: 0.5 is half to one and a half."
    )
    nulls: Share = Field(0.1, description="A column's share of NULLs may move so far: 0.1 is ten points.")


class Freshness(_Reviewed):
    """How new the newest row must be, measured from the end of the business day that is loaded."""

    check: bool = Field(default=True, description="False: freshness is not looked at.")
    severity: Severity = "warning"
    column: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")] | None = Field(
        None, description="A published timestamp or date; without it, the column that places rows in days, if any."
    )
    within_hours: float = Field(24, gt=0, description="The newest row is at most so old at the end of the day.")


class Suite(_Reviewed):
    """One table's suite."""

    table: str
    joins: Joins = Joins()
    volume: Volume = Volume()
    freshness: Freshness = Freshness()
    expectations: tuple[Expectation, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The table's own expectations."""
        return tuple(Check(one.expect, one.kwargs, one.severity, "suite") for one in self.expectations)


def needed_columns(checks: Collection[Check], published: Collection[str]) -> tuple[str, ...]:
    """Returns the published columns that the checks read, in published order; row conditions count by name."""
    named = {column for check in checks for column in check.columns}
    conditions = " ".join(str(_condition(check.kwargs)) for check in checks)
    found = tuple(column for column in published if column in named or column in conditions)
    return found or tuple(published)[:1]  # rows are counted even where no column is looked at


def _condition(kwargs: Mapping[str, Any]) -> object:
    return kwargs.get("row_condition") or ""
