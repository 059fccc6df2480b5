"""Reads `expectations/<table>.yaml`: a table's own suite in Great Expectations' vocabulary."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from expectations.checks import Check, Severity, SuiteInvalid

BUNDLED = Path(__file__).parent
"""The suites that ship with the package."""


class _Expectation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    expect: str = Field(pattern=r"^expect_[a-z_]+$")
    severity: Severity = "blocking"
    kwargs: dict[str, Any] = Field(default_factory=dict)  # Any: each expectation has its own arguments


class _Suite(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    table: str
    expectations: tuple[_Expectation, ...]


def load_suite(path: Path, published: Collection[str]) -> tuple[Check, ...]:
    """Gives a table's own checks; none where the file does not exist.

    Args:
        path: the YAML file.
        published: names of the table's published columns.

    Raises:
        SuiteInvalid: the file breaks the model, or names a column that is not published.
    """
    if not path.exists():
        return ()
    problem = ""
    suite = None
    try:
        suite = _Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        problem = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in details)
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        problem = "it is not readable YAML"
    if suite is None:
        raise SuiteInvalid(f"The suite {path.name} is wrong: {problem}.")
    checks = tuple(Check(item.expect, item.kwargs, item.severity, "suite") for item in suite.expectations)
    unknown = sorted({column for check in checks for column in check.columns} - set(published))
    if unknown:
        raise SuiteInvalid(f"The suite {path.name} names columns that are not published: {', '.join(unknown)}.")
    return checks


def needed_columns(checks: Collection[Check], published: Collection[str]) -> tuple[str, ...]:
    """Gives the published columns that the checks read, in published order; row conditions count by name."""
    named = {column for check in checks for column in check.columns}
    conditions = " ".join(str(_condition(check.kwargs)) for check in checks)
    return tuple(column for column in published if column in named or column in conditions)


def _condition(kwargs: Mapping[str, Any]) -> object:
    return kwargs.get("row_condition") or ""
