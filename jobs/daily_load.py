"""The daily load job: the same run under AWS Glue, `spark-submit jobs/daily_load.py --day …` and `kagemusha run`.

Arguments: `--day YYYY-MM-DD` (default: the last business day that has ended in Japan), `--tables a,b` (default: all),
`--settings PATH` or `s3://…`, `--contracts FOLDER`, `s3://…` or `gs://…` (default and `bundled`: the package's),
`--resume true` (leaves out what the ledger proves done), `--archive s3://BUCKET/PREFIX` (keeps the run's report and
evidence there).
Glue passes `--JOB_NAME` too. How a job ends that did not publish everything says `ending.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from etl.entry import load_day
from jobs.arguments import flag, resolved, settings_file, table_names
from jobs.contracts import contracts_folder
from jobs.ending import end
from jobs.glue import glue_job

if TYPE_CHECKING:
    from etl.run.record.results import RunResult


def main(argv: Sequence[str]) -> RunResult:
    """Runs the daily load and returns how it ended."""
    arguments = resolved(argv, required=(), optional=("day", "tables", "settings", "contracts", "resume", "archive"))
    tables = table_names(arguments)
    settings = settings_file(arguments)
    contracts = contracts_folder(arguments, settings)
    resume = flag(arguments.get("resume", "false"))
    with glue_job(argv):
        result = load_day(arguments.get("day"), tables, settings, contracts, resume=resume)
    if "archive" in arguments:
        from jobs.archive import archive  # noqa: PLC0415  the clouds' clients take time to import

        archive(settings, contracts, result.run_id, arguments["archive"])
    return result


if __name__ == "__main__":
    end(sys.argv, lambda: main(sys.argv))
