"""A field's runs log in by the job's environment, in this process and in Spark's workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.fault_injection import make_field
from scripts.fault_injection.make_field import fields
from scripts.fault_injection.token_service import job_environment
from scripts.local_stack.local_stack import Endpoints


class _Running:
    """A stack that is there already, and stays."""

    def __init__(self, ends: Endpoints) -> None:
        self._ends = ends

    def up(self) -> Endpoints:
        return self._ends

    def reset(self) -> None:
        """Leaves it."""


@pytest.mark.stack
def test_the_environment_is_there_before_spark_starts(
    stack: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No field is made yet, whose first runs start Spark, when this process finds the service that gives out tokens."""
    monkeypatch.setattr(make_field, "LocalStack", lambda _: _Running(stack))
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with fields(tmp_path) as found:
        assert job_environment(found.tokens).items() <= os.environ.items()
        assert not found._known
