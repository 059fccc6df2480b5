"""What must be counted for Great Expectations to judge a check, and its judgment once it is counted.

Each expectation of the library names the metrics that it needs and judges by their values. Here none of the library's
engines computes them: they are counted by whoever holds the data, and handed to the expectation. What is not taken here
is for the library's own Spark engine, `expectations.validate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from expectations.asked import Known, answering
from expectations.build import built
from expectations.checks import Check, CheckResult
from expectations.measures import UNDECIDED, Answer, Measure
from expectations.measures.literals import NotTaken
from expectations.validate import COUNTS_ONLY, VERDICT_ONLY, scrubbed, silence_warnings


@dataclass(frozen=True)
class Question:
    """A check, and what must be counted to judge it.

    Attributes:
        check: the check.
        expectation: the object of Great Expectations that judges it.
        schema: of the table.
        asked: metric → the measure by whose answer the expectation judges, or the answer itself.
    """

    check: Check
    expectation: Any
    schema: pa.Schema
    asked: Mapping[Any, Measure | Known]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What must be counted."""
        return tuple(one for one in self.asked.values() if not isinstance(one, Known))

    def judged(self, answers: Mapping[Measure, Answer]) -> CheckResult | None:
        """Returns Great Expectations' judgment; None where an answer is undecided.

        Args:
            answers: one for each measure.
        """
        if any(answers[one] is UNDECIDED for one in self.measures):
            return None
        result = self._result(self.asked, VERDICT_ONLY, answers)
        if result is not None and not result.success:
            result = self._result(_asked(self.expectation, COUNTS_ONLY, self.schema), COUNTS_ONLY, answers)
        if result is None:
            return CheckResult(self.check, passed=False, error="the expectation raised an error")
        return scrubbed(self.check, result)

    def _result(
        self,
        asked: Mapping[Any, Measure | Known],
        result_format: Mapping[str, object],
        answers: Mapping[Measure, Answer],
    ) -> Any:  # noqa: ANN401  untyped library
        """Returns the library's result; None where it raised an error, whose text may quote what was observed."""
        metrics = {name: one.answer if isinstance(one, Known) else answers[one] for name, one in asked.items()}
        try:
            return self.expectation.metrics_validate(metrics, {"result_format": dict(result_format)})
        except Exception:  # noqa: BLE001  see above
            return None


def question(check: Check, schema: pa.Schema) -> Question | None:
    """Returns what must be counted to judge a check; None where it is for the Spark engine.

    Args:
        check: the check.
        schema: of the table.

    Raises:
        SuiteInvalid: the check cannot be built.
    """
    silence_warnings()
    expectation = built(check)
    try:
        return Question(check, expectation, schema, _asked(expectation, VERDICT_ONLY, schema))
    except NotTaken:
        return None


def _asked(expectation: Any, result_format: Mapping[str, object], schema: pa.Schema) -> dict[Any, Measure | Known]:  # noqa: ANN401  untyped library
    """Returns what answers each metric that an expectation asks for.

    Raises:
        NotTaken: one of them is for the Spark engine, or the expectation asks an engine what to ask.
    """
    metrics: list[Any] | None = None
    try:
        needed = expectation.get_validation_dependencies(runtime_configuration={"result_format": {**result_format}})
        metrics = needed.get_metric_configurations()
    except Exception:  # noqa: BLE001, S110  see above; without an engine it fails in its own way
        pass
    if metrics is None:
        raise NotTaken
    return {metric.id: answering(metric, schema) for metric in metrics}
