"""One trial: a run with one fault, what readers saw meanwhile, a rerun, and how what is published compares."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from textwrap import shorten
from typing import Final

from pyarrow import ArrowInvalid, parquet

from etl.cloud import google_login
from etl.cloud.bigquery import failures as of_bigquery
from etl.cloud.bigquery import jobs
from etl.cloud.storage import failures as of_storage
from etl.settings import Settings, load_settings
from masking.errors import KagemushaError
from scripts.fault_injection.field import DAY, ROOT, Field, Rows
from scripts.fault_injection.point import Point
from scripts.fault_injection.processes import session_members
from scripts.fault_injection.reader import Reads, reading
from scripts.fault_injection.token_service import federated, job_environment
from scripts.local_stack.processes import wait_until

_PATIENCE_SECONDS: Final = 20
_RETRY_SECONDS: Final = 5.0
_REQUEST_SECONDS: Final = 3
_WORDS: Final = 80
PLANTED: Final = ("4111111111111111", "@example.jp")
"""What the source holds in columns that are dropped."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        point: its name.
        injected: what went wrong.
        outcome: what the run and its rerun made of it; begins with WRONG where a promise was broken.
        rows_lost: rows that should be published after the rerun and are not.
        rows_doubled: rows that are published after the rerun and should not be.
        leaked_values: how often a planted value is in BigQuery's destinations or in a staged file.
        stale_reads: reads during the fault that failed, or saw neither yesterday's rows nor today's in a destination.
        happened: how many of the disturbances came about; a random one may wait for a request that never comes.
    """

    point: str
    injected: str
    outcome: str
    rows_lost: int
    rows_doubled: int
    stale_reads: int
    leaked_values: int = 0
    happened: int = 1

    @property
    def wrong(self) -> bool:
        """Whether a promise was broken."""
        return self.outcome.startswith("WRONG")

    def to_json(self) -> dict[str, object]:
        """Returns the outcome as JSON spells it."""
        return asdict(self)


class Hook:
    """Hears of every step; at one of them, something happens outside."""

    def __init__(self, point: Point, played: Field) -> None:
        self._point, self._field = point, played
        self.happened = False

    def say(self, table: str, step: str, **_: object) -> None:
        """A table reached a step."""
        if self._point.act is not None and (table, step) == self._point.at and not self.happened:
            self.happened = True
            with self._field.doing:
                self._point.act(self._field)


def tried(played: Field, point: Point) -> Outcome:
    """Runs one trial; the field is ready for the next one when it returns."""
    if played.rows() != played.yesterday:
        raise RuntimeError(f"before {point.name}: what is published is not yesterday's")
    rules, hook = point.fresh_rules(), Hook(point, played)
    played.tokens.recover(lifetime=1 if point.federated else 3600)
    proxy = played.storage if point.server == "storage" else played.bigquery
    with reading(played) as reads, proxy.following(*rules):
        ended = _killed(played, point) if point.own_process else _in_this_one(played, point, hook)
    played.tokens.recover()
    undo(played, [point] if hook.happened else [])
    happened = rules[0].fired > 0 if rules else hook.happened or (point.own_process and ended != "absorbed")
    problems = [] if happened else ["the fault never happened"]
    problems += [ended.removeprefix("WRONG ")] if ended.startswith("WRONG") else []
    if ended != "absorbed":
        again = played.run()
        if again.exit_code:
            why = "; ".join(one.error for one in again.tables if one.error) or again.error
            problems.append(f"the rerun ended with {again.exit_code}: {why}")
    end = End.of(played, played.today, played.rows(), reads)
    problems += end.problems
    played.turn()
    outcome = ended if ended == "absorbed" else f"{shorten(ended, _WORDS)} Rerun complete."
    if problems:
        outcome = f"WRONG: {'; '.join(problems)} ({ended})"
    return Outcome(point.name, point.injected, outcome, end.lost, end.doubled, len(reads.wrong), end.leaked)


@dataclass(frozen=True)
class End:
    """How all is once the runs that follow a disturbed one are over.

    Attributes:
        lost: rows that should be published and are not.
        doubled: rows that are published and should not be.
        leaked: how often a planted value is in a destination or a staged file.
        problems: each of these that there is, what readers saw torn, and what was left over.
    """

    lost: int
    doubled: int
    leaked: int
    problems: tuple[str, ...]

    @classmethod
    def of(cls, played: Field, expected: Rows, found: Rows, reads: Reads) -> End:
        """Compares what is published with what should be; where that is not the same, a run puts it right."""
        lost, doubled = compared(expected, found)
        values = leaked(played, found)
        problems = [f"{lost} rows lost, {doubled} doubled"] if lost or doubled else []
        problems += [f"a reader saw {place} torn" for place in sorted(set(reads.wrong))]
        problems += [f"{values} values leaked"] if values else []
        problems += [f"left over: {one}" for one in played.left_over()]
        if lost or doubled:
            played.run()
        return cls(lost, doubled, values, tuple(problems))


def undo(played: Field, happened: Sequence[Point]) -> None:
    """Puts right what happened outside, and returns when the source is as it was."""
    while played.meanwhile:
        played.meanwhile.pop().join()
    for point in reversed(happened):
        if point.undo is not None:
            point.undo(played)
    played.database.settle()


def leaked(played: Field, found: Rows) -> int:
    """Returns how often a value that was planted in columns that are dropped is in a destination or a staged file."""
    published = sum(row.count(value) for rows in found.values() for row in rows for value in PLANTED)
    ours = {one.name for one in played.stage.stored("")} - played.strangers
    files = [name for name in ours if name.endswith(".parquet")]
    return published + sum(_text(played, name).count(value) for name in files for value in PLANTED)


def _text(played: Field, name: str) -> str:
    """Returns the values of a staged file; of one that a fault has damaged, nothing can be read."""
    with suppress(KagemushaError, ArrowInvalid, OSError):
        return str(parquet.read_table(BytesIO(played.stage.read(name))).to_pydict())
    return ""


def compared(expected: Rows, found: Rows) -> tuple[int, int]:
    """Returns how many rows are missing and how many are too many."""
    places = {*expected, *found}
    nothing: Counter[str] = Counter()
    lost = sum((expected.get(place, nothing) - found.get(place, nothing)).total() for place in places)
    return lost, sum((found.get(place, nothing) - expected.get(place, nothing)).total() for place in places)


def _in_this_one(played: Field, point: Point, hook: Hook) -> str:
    """Runs the load here; gives how it ended."""
    login = {"google": federated(played.tokens)} if point.federated else {}

    def run(settings: Settings) -> tuple[int, str]:
        result = played.run(settings.model_copy(update=login), hook)
        errors = [one.error for one in result.tables if one.exit_code == result.exit_code]
        return result.exit_code, (errors or [result.error])[0]

    return ended_of(played, run)


def ended_of(played: Field, run: Callable[[Settings], tuple[int, str]]) -> str:
    """Runs a load here by the disturbed settings; gives how it ended.

    Args:
        played: the field.
        run: runs a load by settings, and gives its exit code and the first error.
    """
    settings = load_settings(played.disturbed)
    google_login._shared.cache_clear()  # noqa: SLF001  as a new process would
    with impatient():
        try:
            code, error = run(settings)
        except KagemushaError as failure:
            return f"stopped (exit {failure.exit_code}): {failure.what}"
        except Exception as failure:  # noqa: BLE001  what a run must not let out
            return f"WRONG {type(failure).__name__} came out of the run"
    return f"stopped (exit {code}): {error.partition('. ')[0]}." if code else "absorbed"


@contextmanager
def impatient() -> Iterator[None]:
    """Lets the driver give up after seconds instead of minutes."""
    retries = (of_storage.RETRY, of_bigquery.RETRY)  # every module shares these very objects
    kept = [retry._timeout for retry in retries]  # noqa: SLF001  the same
    request_seconds = of_bigquery.TIMEOUT_SECONDS
    for retry in retries:
        retry._timeout = _RETRY_SECONDS  # noqa: SLF001  the same
    setattr(jobs, "TIMEOUT_SECONDS", _REQUEST_SECONDS)  # noqa: B010  a constant to everybody else
    try:
        yield
    finally:
        for retry, seconds in zip(retries, kept, strict=True):
            retry._timeout = seconds  # noqa: SLF001  the same
        setattr(jobs, "TIMEOUT_SECONDS", request_seconds)  # noqa: B010  the same


def _killed(played: Field, point: Point) -> str:
    """Runs the load in a process of its own, which is killed at the point's place, if it has one."""

    def hear(table: str, step: str) -> bool:
        return (table, step) == point.at

    return in_its_own_process(played, ("run", "--day", str(DAY)), hear, point.file_bytes)


def in_its_own_process(
    played: Field, call: Sequence[str], hear: Callable[[str, str], bool], file_bytes: int | None = None
) -> str:
    """Runs a command as a user would; gives how it ended. Nothing that it started outlives it for long.

    Args:
        played: the field.
        call: the command and its arguments, without settings and contracts.
        hear: gets every step of every table; True kills the process.
        file_bytes: how large a file it may write; None: any size.
    """
    command = [sys.executable, "-m", "etl.cli", *call, "--contracts", str(played.folder)]
    environment = {
        **os.environ,
        **job_environment(played.tokens),
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    with subprocess.Popen(
        [*command, "--settings", str(played.disturbed)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=limit,  # noqa: PLW1509  no thread of ours holds a lock that it needs
    ) as job:
        for line in job.stderr or ():
            told = json.loads(line) if line.startswith("{") else {}
            if "step" in told and hear(told["table"], told["step"]):
                job.send_signal(signal.SIGKILL)
                break
        if job.stderr:
            job.stderr.close()
        code = job.wait()
    outlived = not wait_until(lambda: not session_members(job.pid), _PATIENCE_SECONDS)
    for process in session_members(job.pid):
        os.kill(process, signal.SIGKILL)
    if outlived:
        return "WRONG processes outlived the job"
    if code == -signal.SIGKILL:
        return "killed."
    return "absorbed" if code == 0 else f"stopped (exit {code})."
