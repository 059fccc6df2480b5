"""Options spell the words of enumerations that are too heavy to import for help: they stay the same words."""

from __future__ import annotations

from enum import StrEnum

import pytest

from etl.authoring.drift_report import Form as DriftForm
from etl.cli.drift import Form as DriftOption
from etl.cli.lint import Form as LintOption
from etl.cli.lint import Rules
from etl.cli.scan_leaks import Kind
from masking.leaks import LeakKind
from masking.policy import Profile
from schemas.lint_report import Format


@pytest.mark.parametrize(
    ("offered", "known"), [(DriftOption, DriftForm), (LintOption, Format), (Rules, Profile), (Kind, LeakKind)]
)
def test_an_option_offers_what_there_is(offered: type[StrEnum], known: type[StrEnum]) -> None:
    """Every word that the work knows can be chosen, in its order, and no other."""
    assert list(offered) == list(known)
