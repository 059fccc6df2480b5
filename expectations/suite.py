"""Reads `expectations/<table>.yaml`: a table's own suite in Great Expectations' vocabulary, and its comparisons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from expectations.checks import Check, Severity, SuiteInvalid
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

    @property
    def named(self) -> frozenset[str]:
        """Every column that the suite names outside of row conditions."""
        fresh = {self.freshness.column} if self.freshness.column else set()
        return frozenset(
            {column for check in self.checks for column in check.columns} | fresh | set(self.joins.leave_out)
        )


def load_suite(path: Path, table: str) -> Suite:
    """Returns a table's suite; one without expectations of its own where the file does not exist.

    Raises:
        SuiteInvalid: the file breaks the model, or is another table's.
    """
    if not path.exists():
        return Suite(table=table)
    problem = ""
    suite = None
    try:
        suite = Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        problem = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in details)
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        problem = "it is not readable YAML"
    if suite is None:
        raise SuiteInvalid(f"The suite {path.name} is wrong: {problem}.")
    if suite.table != table:
        raise SuiteInvalid(f"The suite {path.name} is of table {suite.table}.")
    return suite


def needed_columns(checks: Collection[Check], published: Collection[str]) -> tuple[str, ...]:
    """Returns the published columns that the checks read, in published order; row conditions count by name."""
    named = {column for check in checks for column in check.columns}
    conditions = " ".join(str(_condition(check.kwargs)) for check in checks)
    return tuple(column for column in published if column in named or column in conditions)


def _condition(kwargs: Mapping[str, Any]) -> object:
    return kwargs.get("row_condition") or ""
