"""The nightly state machine does what it promises, executed with the job's own exit texts."""

from __future__ import annotations

import json
import subprocess

import pytest

from etl.audit.verdict import AuditFailed
from etl.errors import PlanRejected, SourceUnavailable
from jobs.ending import exit_text, reason_of
from masking.errors import KagemushaError
from tests.scripts.deploy.conftest import PYTHON
from tests.scripts.deploy.nights import Night, definition, night


def glues(error: KagemushaError) -> str:
    """Returns the message that Glue makes of the job's last words."""
    return f"SystemExit: {exit_text(error.exit_code, reason_of(error))}"


MAY_PASS = glues(SourceUnavailable("The database went away.", not_done="No row was read."))
CONTRACT = glues(PlanRejected("1 column of issuing.cards has no decision.", not_done="No row was read."))
AUDIT = glues(AuditFailed("2 checks did not hold.", not_done="Not published."))


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")


def test_a_good_night() -> None:
    """One run of the day that has just ended in Japan, with resume, and nobody is woken."""
    assert night([None]) == Night("SUCCEEDED", ("2026-11-27",), ("true",), ())


def test_a_passing_failure_is_tried_again() -> None:
    """Exit 3 is tried again for the same day, even when midnight has passed meanwhile."""
    assert night([MAY_PASS, None]) == Night("SUCCEEDED", ("2026-11-27",) * 2, ("true",) * 2, ())


def test_a_failure_that_never_passes() -> None:
    """Exit 3 is tried three times in all; then a person is told."""
    ended = night([MAY_PASS] * 5)
    assert (ended.status, ended.days) == ("FAILED", ("2026-11-27",) * 3)
    assert ended.told == (
        (
            "kagemusha-daily: a business day was not published",
            f"Business day 2026-11-27 was not published whole. {MAY_PASS}",
        ),
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (CONTRACT, "kagemusha exit 2: PlanRejected: 1 column of issuing.cards has no decision."),
        (AUDIT, "kagemusha exit 1: AuditFailed: 2 checks did not hold."),
    ],
    ids=["contract", "audit"],
)
def test_what_only_a_person_can_mend(message: str, words: str) -> None:
    """Exit 1 and 2 are never tried again; the person is told the day and the job's own words, and no argument."""
    ended = night([message, None])
    assert (ended.status, len(ended.days)) == ("FAILED", 1)
    ((_, told),) = ended.told
    assert told == f"Business day 2026-11-27 was not published whole. SystemExit: {words}"


def test_a_failure_without_words() -> None:
    """A run that Glue itself ended is not tried again: nobody knows what it left; the person is told where to look."""
    ended = night(["Command failed with exit code 137", None])
    assert (ended.status, len(ended.days)) == ("FAILED", 1)
    ((_, told),) = ended.told
    assert told.startswith("Business day 2026-11-27 was not published whole: ")
    assert told.endswith(". The run stands in Glue.")
    assert "137" not in told


def test_the_business_day_is_japans() -> None:
    """A start at 00:00 and one at 08:59 in Japan both load the day before, by the UTC date of the schedule."""
    assert night([None], "2026-11-27T15:00:00Z").days == ("2026-11-27",)
    assert night([None], "2026-11-27T23:59:00Z").days == ("2026-11-27",)


def test_leases_run_out_before_another_try() -> None:
    """Between tries lies more than a killed run's leases last."""
    assert json.loads(definition(900))["States"]["LeasesRunOut"]["Seconds"] > 180


def test_a_night_ends_before_the_next() -> None:
    """All tries, their pauses and Glue's own end fit into a night; what holds one up longer is ended, and alarms."""
    machine = json.loads(definition(900))
    load, pause = machine["States"]["Load"]["TimeoutSeconds"], machine["States"]["LeasesRunOut"]["Seconds"]
    assert 3 * load + 2 * pause < machine["TimeoutSeconds"] < 24 * 3600


@pytest.mark.deploy
def test_the_language_is_kept() -> None:
    """statelint, Amazon's own rules of the language, finds nothing; a broken target it finds."""
    linter = PYTHON.with_name("statelint")
    broken = definition().replace('"Next": "Load"', '"Next": "Laod"')
    for text, code in ((definition(), 0), (broken, 1)):
        done = subprocess.run(  # noqa: S603  the linter of the deployment's environment
            [str(linter), text], check=False, capture_output=True, text=True
        )
        assert (done.returncode != 0) == bool(code), done.stdout + done.stderr
