"""The backfill job: the same under AWS Glue, `spark-submit jobs/backfill.py --from … --to …` and `kagemusha backfill`.

Arguments: `--from YYYY-MM-DD`, `--to YYYY-MM-DD` (default: the last business day that has ended in Japan),
`--tables a,b` (default: all with business days), `--resume true` (leaves out what the ledger proves loaded),
`--settings PATH`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from etl.entry import guarded, load_range
from jobs.glue import flag, glue_job, resolved, table_names


def main(argv: Sequence[str]) -> int:
    """Runs the backfill and gives its exit code."""
    arguments = resolved(argv, required=("from",), optional=("to", "tables", "settings", "resume"))
    tables = table_names(arguments)
    settings = Path(arguments["settings"]) if "settings" in arguments else None
    resume = flag(arguments.get("resume", "false"))
    with glue_job(argv):
        return load_range(arguments["from"], arguments.get("to"), tables, settings, resume=resume)


if __name__ == "__main__":
    sys.exit(guarded(lambda: main(sys.argv)))
