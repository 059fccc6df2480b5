"""Expectations on staged values: counted by the workers' reading where that can be, by Spark where it cannot.

Great Expectations judges in both cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from etl.audit.staged_frame import staged_frame
from etl.cloud.storage import StagingLocation
from etl.spark import SMALL_ROWS, session_for
from etl.stage import Staged
from expectations.checks import Check, CheckResult
from expectations.measures import Answer, Measure
from expectations.questions import question
from expectations.suite import needed_columns
from expectations.validate import validate

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class ValueChecks:
    """The expectations of one staged table.

    Args:
        spark: the session for what is left to Spark.
        location: the staging bucket.
        staged: the manifest.
        checks: what to judge.
    """

    def __init__(self, spark: SparkSession, location: StagingLocation, staged: Staged, checks: Sequence[Check]) -> None:
        self._spark = spark
        self._location = location
        self._staged = staged
        self._checks = tuple(checks)
        self._questions = [question(check, staged.plan.output_schema) for check in checks]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What the reading must count."""
        return tuple(measure for asked in self._questions if asked for measure in asked.measures)

    def results(self, answers: Mapping[Measure, Answer]) -> list[CheckResult]:
        """Returns one result a check, in order.

        Args:
            answers: what the reading counted.
        """
        judged = [asked.judged(answers) if asked else None for asked in self._questions]
        left = [check for check, result in zip(self._checks, judged, strict=True) if result is None]
        by_spark = iter(self._by_spark(left) if left else ())
        return [result or next(by_spark) for result in judged]

    def _by_spark(self, checks: Sequence[Check]) -> Sequence[CheckResult]:
        """Runs the library's own Spark engine over the columns that these checks need."""
        staged = self._staged
        session, contract = session_for(self._spark, staged.rows), staged.plan.contract
        columns = needed_columns(checks, contract.published)
        names = [file.name for file in staged.files]
        parts = 1 if staged.rows <= SMALL_ROWS else None
        frame = staged_frame(session, self._location, names, staged.plan.output_schema, columns, parts).persist()
        try:
            return validate(frame, checks, f"{staged.run_id}.{contract.table}")
        finally:
            frame.unpersist()
