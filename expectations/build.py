"""A check as an object of Great Expectations: the library itself says what it takes."""

from __future__ import annotations

from typing import Any, Final

from expectations.checks import Check, SuiteInvalid
from expectations.library import ValidationError, camel_to_snake, gxe

NUMBER: Final = "kagemusha_check"
"""The key of an expectation's meta that holds its number, by which its result is found."""
_NOT_ARGUMENTS: Final = frozenset({
    "id", "meta", "notes", "rendered_content", "description", "windows", "severity", "batch_id", "catch_exceptions",
    "result_format",
})  # fmt: skip
"""What Great Expectations takes too, and suites may not set: a result format could ask for values."""
KINDS: Final = {camel_to_snake(name): getattr(gxe, name) for name in dir(gxe) if name.startswith("Expect")}
"""Great Expectations' classes of core expectations by their names in snake case."""
KINDS.pop("expectation", None)


def taken(kind: Any) -> frozenset[str]:  # noqa: ANN401  untyped library
    """Returns the names of the arguments that an expectation of Great Expectations takes from a suite."""
    return frozenset(set(kind.__fields__) - _NOT_ARGUMENTS)


def argument_problems(check: Check) -> tuple[tuple[str, str], ...]:
    """Returns each argument that an expectation lacks or does not take as it is, with the reason, values left out."""
    try:
        built(check)
    except _Misfit as misfit:
        return misfit.problems
    except SuiteInvalid as error:
        return (("", str(error)),)
    return ()


def built(check: Check, number: int = 0) -> Any:  # noqa: ANN401  untyped library
    """Returns the Great Expectations object of a check; its meta carries the number by which its result is found.

    Raises:
        SuiteInvalid: there is no such core expectation, or it does not take these arguments.
    """
    kind = KINDS.get(check.expect)
    if kind is None:
        raise SuiteInvalid(f"Great Expectations has no core expectation {check.expect}.")
    known = taken(kind)
    unknown = sorted(set(check.kwargs) - known)
    if unknown:
        raise SuiteInvalid(f"{check.expect} takes no {', '.join(unknown)}.")
    given = dict(check.kwargs)
    if given.get("row_condition") and "condition_parser" in known:
        given.setdefault("condition_parser", "spark")
    problems: tuple[tuple[str, str], ...] = ()
    try:
        return kind(**given, meta={NUMBER: number})
    except ValidationError as error:
        problems = tuple({name: (name, message) for name, message in map(_problem, error.errors())}.values())
    except Exception as error:  # noqa: BLE001  its text repeats the arguments
        problems = (("", f"does not take these arguments ({type(error).__name__})"),)
    raise _Misfit(check.expect, problems)


class _Misfit(SuiteInvalid):
    """An expectation does not take its arguments; each with the reason."""

    def __init__(self, expect: str, problems: tuple[tuple[str, str], ...]) -> None:
        self.problems = problems
        super().__init__(f"{expect} {'; '.join(message for _, message in problems)}.")


def _problem(detail: Any) -> tuple[str, str]:  # noqa: ANN401  untyped library
    name = next((str(part) for part in detail["loc"] if part != "__root__"), "")
    if detail["type"] == "value_error.missing":
        return "", f"needs {name}"
    return name, f"does not take {name or 'these arguments'} as it is ({detail['type']})"
