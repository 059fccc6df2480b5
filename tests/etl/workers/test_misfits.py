"""What a worker says of itself is compared with the driver, and Spark's words on a failure choose among ours."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from py4j.protocol import Py4JError

from etl.entry import attempted
from etl.errors import SourceUnavailable
from etl.workers.failures import NoWorker, failure_of, named_failure
from etl.workers.look import Look, look
from etl.workers.preflight import CLOCK_SECONDS, misfits

OWN = look()
NOW = OWN["clock"]
SECRET = "4111111111111111"


def worker(**other: object) -> Look:
    """Returns a worker like the driver, but for what is named."""
    found: Look = copy.deepcopy(OWN)
    found.update(host="worker-7", **other)  # type: ignore[typeddict-item]
    return found


def test_a_worker_like_the_driver_is_fit() -> None:
    """The same Python, package and libraries, and a clock between asking and answer, are no reason to refuse."""
    assert not misfits(OWN, worker(), NOW - 1, NOW + 1)


@pytest.mark.parametrize(
    ("other", "text", "fix"),
    [
        ({"python": "3.9"}, f"A worker has Python 3.9, the driver {OWN['python']}.", "PYSPARK_PYTHON"),
        ({"package": ""}, "A worker's Python has no module etl.", "Give the workers what the driver has"),
        ({"package": "beef"}, "A worker has another kagemusha (beef) than the driver", "Give the workers"),
        (
            {"libraries": {**OWN["libraries"], "pyarrow": "9.9.9"}},
            f"A worker has pyarrow 9.9.9, the driver {OWN['libraries']['pyarrow']}.",
            "Give the workers what the driver has",
        ),
        ({"libraries": {**OWN["libraries"], "numpy": ""}}, "A worker has numpy not at all", "Give the workers"),
        ({"clock": NOW - CLOCK_SECONDS - 90}, "A worker's clock differs by 149 s", "NTP"),
        ({"clock": NOW + CLOCK_SECONDS + 90}, "A worker's clock differs by 149 s", "NTP"),
    ],
)  # fmt: skip
def test_a_difference_is_named(other: dict[str, object], text: str, fix: str) -> None:
    """Each difference says what it is, on which worker, and what to do; another try would not help."""
    (found,) = misfits(OWN, worker(**other), NOW - 1, NOW + 1)
    assert text in str(found)
    assert fix in str(found)
    assert "worker=worker-7" in str(found)
    assert found.exit_code == 2


def test_what_a_worker_cannot_reach_keeps_its_code() -> None:
    """An error of a worker's own is handed on with the worker's name: what may pass by itself is tried again."""
    closed = SourceUnavailable("The way to the database is closed.", not_done="No row was read.")
    (found,) = misfits(OWN, worker(failure=closed), NOW, NOW)
    assert found.exit_code == 3
    assert found.where["worker"] == "worker-7"


@pytest.mark.parametrize(
    ("said", "text", "code"),
    [
        ('java.io.IOException: Cannot run program "/opt/py": error=2', "The workers' Python could not be started.", 2),
        ("[PYTHON_VERSION_MISMATCH] Python in worker has different version", "another version of Python", 2),
        ("ModuleNotFoundError: No module named 'pyarrow'", "The workers' Python has no module pyarrow.", 2),
        ("Job 3 cancelled as part of cancellation of all jobs", "No worker was left", 3),
        ("ExecutorLostFailure (executor 3 exited caused by one of the running tasks)", "Workers were lost again", 3),
        ("SparkException: Master removed our application: KILLED", "The cluster ended the job.", 3),
    ],
)
def test_spark_failures_are_named(said: str, text: str, code: int) -> None:
    """The kind is told, and the worker where Spark names it; nothing else of Spark's own text is repeated."""
    lost = f"Lost task 0.3 in stage 0.0 (TID 3) (10.0.0.7 executor 12): {said} {SECRET}"
    found = named_failure(Py4JError(lost))
    assert found is not None
    assert text in str(found)
    assert found.exit_code == code
    assert found.where == {"worker": "10.0.0.7", "executor": "12"}
    assert SECRET not in str(found)


def test_other_failures_have_no_name() -> None:
    """What is not Spark's, or not known, stays unforeseen."""
    assert named_failure(ValueError("No module named 'pyarrow'")) is None
    assert named_failure(Py4JError(f"a value: {SECRET}")) is None


def test_a_look_needs_no_package_of_ours(tmp_path: Path) -> None:
    """Sent to a Python that has PySpark alone, the module answers what is missing instead of failing."""
    source = (Path(__file__).parents[3] / "etl" / "workers" / "look.py").read_text(encoding="utf-8")
    script = tmp_path / "sent.py"
    script.write_text(f"{source}\nimport json\nprint(json.dumps(look('expected', b'ways')))\n", encoding="utf-8")
    without = "import sys; sys.path = [p for p in sys.path if p.endswith('site-packages') or 'python3' in p];"
    code = f"{without} sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in str(f).lower()];"
    ran = [sys.executable, "-I", "-c", f"{code} import runpy; runpy.run_path({str(script)!r})"]
    done = subprocess.run(ran, capture_output=True, text=True, check=True, cwd=tmp_path)  # noqa: S603  our own interpreter
    assert json.loads(done.stdout)["package"] == ""


def test_any_command_names_a_lost_worker_and_quotes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """What no step foresaw is named by the last place too: workers by what became of them, the rest by its type."""

    def loses() -> int:
        raise Py4JError(f"ExecutorLostFailure (executor 1 exited) after {SECRET}")

    found = attempted(loses)
    assert isinstance(found, NoWorker)
    told = capsys.readouterr().err
    assert "Workers were lost again and again" in told
    assert SECRET not in told
    assert failure_of(ValueError(SECRET)).what == "A step failed with ValueError."
