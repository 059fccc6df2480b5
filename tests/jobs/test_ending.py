"""A job ends as its runtime understands it: by a code for spark-submit, in words for Glue."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from etl.audit.verdict import AuditFailed
from etl.errors import TRANSIENT, PlanRejected, SourceUnavailable
from etl.ledger.results import TableResult
from etl.run.results import RunResult, failed_result
from jobs.ending import exit_text, reason_of
from jobs.glue import refuse_local
from masking.errors import KagemushaError
from tests.jobs.glue_runtime import glue_jar

ROOT = Path(__file__).parents[2]
ENDS_WELL = """
import sys
from types import SimpleNamespace
from jobs.ending import end
end(sys.argv, lambda: SimpleNamespace(exit_code={code}, reason="clubs: AuditFailed"))
print("returned")
"""


def submitted(jar: Path | None, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a job by spark-submit, with or without the Glue runtime."""
    submit = str(Path(sys.executable).with_name("spark-submit"))
    runtime = ["--driver-class-path", str(jar)] if jar else []
    return subprocess.run(  # noqa: S603  our own job
        [submit, *runtime, str(script), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("glue", "code", "status", "said"),
    [
        (True, 0, 0, "returned"),
        (True, 3, 1, "kagemusha exit 3: clubs: AuditFailed"),
        (False, 0, 0, ""),
        (False, 3, 3, ""),
    ],
)
def test_the_end_of_a_job(tmp_path: Path, *, glue: bool, code: int, status: int, said: str) -> None:
    """Under Glue success returns and a failure says its class; spark-submit gets the number and no words."""
    script = tmp_path / "job.py"
    script.write_text(ENDS_WELL.format(code=code), encoding="utf-8")
    done = submitted(glue_jar(tmp_path) if glue else None, script, "--JOB_NAME", "nightly")
    assert done.returncode == status
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert ("returned" in done.stdout) == (glue and code == 0)


def test_the_daily_load_speaks_to_glue(tmp_path: Path) -> None:
    """The job itself ends with the words that the state machine reads."""
    done = submitted(glue_jar(tmp_path), ROOT / "jobs/daily_load.py", "--JOB_NAME", "nightly", "--dya", "2023-08-30")
    assert done.returncode == 1
    assert "kagemusha exit 2: SettingsInvalid: The job has no argument --dya." in done.stdout + done.stderr


def test_a_local_master_is_refused_under_glue() -> None:
    """A load on the driver alone is refused before a row is read, not done slowly."""
    with pytest.raises(KagemushaError, match="Spark runs on the driver alone") as caught:
        refuse_local("local[*]")
    assert caught.value.exit_code == 2
    refuse_local("jes")
    refuse_local("spark://10.0.0.1:7077")


def test_a_run_names_its_tables() -> None:
    """The words name each table that failed, the kind of its error and the worst code; published ones are left out."""
    stopped = failed_result("cards", AuditFailed("2 checks did not hold.", not_done="Not published."), 1.0)
    lost = failed_result("payments", SourceUnavailable("The database went away.", not_done="Not published."), 1.0)
    result = RunResult("r", date(2023, 8, 30), (TableResult("clubs", "published"), stopped, lost), (), 1.0)
    assert exit_text(result.exit_code, reason_of(result)) == (
        "kagemusha exit 1: cards: AuditFailed; payments: SourceUnavailable"
    )
    assert reason_of(RunResult("r", date(2023, 8, 30), (), (), 1.0, "The views failed.", TRANSIENT)) == (
        "views were not published"
    )


def test_an_error_is_one_line_without_advice_or_place() -> None:
    """Glue's message is what went wrong; host names and advice stay in the log."""
    error = PlanRejected("Contract and table\ndisagree.", not_done="No row was read.", where={"host": "etl.example"})
    assert exit_text(error.exit_code, reason_of(error)) == (
        "kagemusha exit 2: PlanRejected: Contract and table disagree."
    )
    assert len(exit_text(2, "a" * 5000)) == 900
