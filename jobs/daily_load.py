"""The nightly job: the same run under AWS Glue, `spark-submit jobs/daily_load.py --day …` and `kagemusha run`.

Arguments: `--day YYYY-MM-DD` (default: the last business day that has ended in Japan), `--tables a,b` (default: all),
`--settings PATH`, `--resume true` (leaves out what the ledger proves done). Glue passes `--JOB_NAME` too. A job that
did not publish everything ends with a non-zero exit code, so that the scheduler's own alarms fire.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from etl.entry import guarded, load_day
from jobs.glue import flag, glue_job, resolved, table_names


def main(argv: Sequence[str]) -> int:
    """Runs the daily load and gives its exit code."""
    arguments = resolved(argv, required=(), optional=("day", "tables", "settings", "resume"))
    tables = table_names(arguments)
    settings = Path(arguments["settings"]) if "settings" in arguments else None
    with glue_job(argv):
        return load_day(arguments.get("day"), tables, settings, resume=flag(arguments.get("resume", "false")))


if __name__ == "__main__":
    sys.exit(guarded(lambda: main(sys.argv)))
