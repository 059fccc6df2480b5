"""What the job and the command line share: arguments to a run, a result to print, errors to exit codes.

Only light modules are imported here, so that help and refusals come at once: Arrow, Spark and Great Expectations take
seconds, and are imported by what needs them, once the settings and the day are known to be right.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from etl.clock import now
from etl.errors import NO_ROW_READ, SettingsInvalid
from etl.logs import withhold_messages
from etl.typed import withheld
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from etl.run.backfill import Backfilled
    from etl.run.record.results import RunResult

Ended = TypeVar("Ended")
_WRONG_PLACE: Final = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""What the system says of a file or folder that somebody named; another try finds the same."""
SEARCHED_AFTER: Final = (50_000, 20, 20)
"""How seldom Python searches for unreachable objects in a command (`gc.set_threshold`). A start makes half a million
that stay, and looking at them again and again took a seventh of it.
"""
atexit.register(gc.freeze)  # as it ends, Python would search them all several times more, which takes a second


def guarded(command: Callable[[], int]) -> int:
    """Runs a command and returns its exit code; an error says what is wrong, what did not happen, what to do, where."""
    ended = attempted(command)
    return ended.exit_code if isinstance(ended, KagemushaError) else ended


def attempted(command: Callable[[], Ended]) -> Ended | KagemushaError:
    """Runs a command and returns what it returns, or its error, which is printed; nothing else says a foreign message.

    A foreign error's message is withheld, because it could quote a value: its type and our own line are printed. So are
    words of the command line that may be values.
    """
    withhold_messages()
    _print_whatever_the_locale()
    searches = gc.get_threshold()
    gc.set_threshold(*SEARCHED_AFTER)
    try:
        return command()
    except KagemushaError as error:
        failure = error
    except Exception as error:  # noqa: BLE001  the last place that may let a foreign message out
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1] if frames else None
        place = {"at": f"{Path(last.filename).name}:{last.lineno}"} if last else {}
        failure = _told(error).at(**place)
    finally:
        gc.set_threshold(*searches)
    failure = failure.reworded(lambda text: withheld(text, sys.argv[1:]))
    print(f"{type(failure).__name__}: {failure}", file=sys.stderr)  # noqa: T201  this is the command's output
    return failure


def _print_whatever_the_locale() -> None:
    """Lets a result be printed where the locale has no such letter: a load that is done must not end as a failure."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _told(error: Exception) -> KagemushaError:
    """Returns what an error means that nobody foresaw; a file or folder that cannot be used is for who named it."""
    if isinstance(error, OSError) and error.filename is not None and error.errno in _WRONG_PLACE:
        return SettingsInvalid(
            f"A file or folder cannot be used: {os.strerror(error.errno)}.",
            not_done="It did not finish.",
            advice="Name another one, or let this account use it.",
            where={"file": error.filename},
        )
    from etl.workers import failure_of

    return failure_of(error, "It did not finish.", "The command")


def load_day(
    day: str | None,
    tables: Sequence[str],
    settings: Path | None,
    contracts: Path | None = None,
    *,
    resume: bool = False,
    accepted_deletes: int = 0,
) -> RunResult:
    """Runs the daily load, prints its table, and returns how it ended.

    Args:
        day: business day (JST) as YYYY-MM-DD; None means the last one that has ended.
        tables: names of contracts; empty means all.
        settings: the settings file; None means `$KAGEMUSHA_SETTINGS` or the local stack's.
        contracts: the folder of the contracts; None means the bundled ones.
        resume: leaves out what the ledger proves done.
        accepted_deletes: how many rows a merge may delete beyond what its contract lets one run delete.
    """
    from etl.settings import load_settings

    chosen, target = load_settings(settings), business_day(day)
    from etl.run.request import Run, Selection
    from expectations.suite import BUNDLED as SUITES
    from schemas.contract_file import BUNDLED

    selection = Selection.read(contracts or BUNDLED, SUITES, tables, chosen.bigquery)
    from etl.spark import begin_session

    begin_session()  # Spark starts while the steps are imported
    from etl.progress import progress
    from etl.run.daily import run_selected
    from etl.run.record.result_table import print_result

    run = Run.begin(target, {}, accepted_deletes)
    with progress() as heard:
        result = run_selected(chosen, selection, run, heard, resume=resume)
    print_result(result)
    return result


def load_range(
    first: str,
    last: str | None,
    tables: Sequence[str],
    settings: Path | None,
    contracts: Path | None = None,
    *,
    resume: bool = False,
) -> Backfilled:
    """Runs a backfill, prints a table for each step and what is left, and returns how it ended.

    Args:
        first: first business day (JST) as YYYY-MM-DD.
        last: last one; None means the last one that has ended.
        tables: names of contracts; empty means all that have business days.
        settings: the settings file; None means `$KAGEMUSHA_SETTINGS` or the local stack's.
        contracts: the folder of the contracts; None means the bundled ones.
        resume: whether days are left out that the ledger proves loaded.
    """
    from etl.settings import load_settings
    from schemas.business_days import Window

    chosen, asked = load_settings(settings), Window(business_day(first), business_day(last))
    if not asked.days:
        raise SettingsInvalid("The first day comes after the last one.", not_done=NO_ROW_READ)
    from etl.progress import progress
    from etl.publish import MODIFICATIONS_A_DAY
    from etl.run.backfill import backfill
    from etl.run.record.result_table import print_result
    from schemas.contract_file import BUNDLED

    with progress() as heard:
        result = backfill(chosen, asked, heard, tables, contracts or BUNDLED, resume=resume)
    for one in result.runs:
        print_result(one)
    for table, days in result.left.items():
        print(  # noqa: T201  this is the command's output
            f"{table}: {days} days are left, because BigQuery lets a table be changed {MODIFICATIONS_A_DAY:,} times a "
            "day. Run again tomorrow with --resume."
        )
    return result


def business_day(text: str | None) -> date:
    """Returns the business day that a text names; None means the last one that has ended (JST).

    Raises:
        SettingsInvalid: the text is no date, or the day has not begun yet.
    """
    from schemas.business_days import previous_business_day

    if text is None:
        return previous_business_day(now())
    day = None
    with suppress(ValueError):
        day = date.fromisoformat(text)
    if day is None or day.isoformat() != text:
        raise SettingsInvalid("The day is not a date.", not_done=NO_ROW_READ, advice="Write it as 2023-08-31.")
    if day > previous_business_day(now()):
        raise SettingsInvalid(
            "The day has not ended in Japan yet.",
            not_done=NO_ROW_READ,
            advice=f"The last business day is {previous_business_day(now())}.",
        )
    return day
