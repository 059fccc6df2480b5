"""The backfill job: the same under AWS Glue, `spark-submit jobs/backfill.py --from … --to …` and `kagemusha backfill`.

Arguments: `--from YYYY-MM-DD`, `--to YYYY-MM-DD` (default: the last business day that has ended in Japan),
`--tables a,b` (default: all with business days), `--resume true` (leaves out what the ledger proves loaded),
`--settings PATH` or `s3://…`, `--contracts FOLDER`, `s3://…` or `gs://…` (default and `bundled`: the package's).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from etl.entry import load_range
from jobs.arguments import flag, resolved, settings_file, table_names
from jobs.contracts import contracts_folder
from jobs.ending import end
from jobs.glue import glue_job

if TYPE_CHECKING:
    from etl.run.backfill import Backfilled


def main(argv: Sequence[str]) -> Backfilled:
    """Runs the backfill and returns how it ended."""
    arguments = resolved(argv, required=("from",), optional=("to", "tables", "settings", "contracts", "resume"))
    tables = table_names(arguments)
    settings, resume = settings_file(arguments), flag(arguments.get("resume", "false"))
    contracts = contracts_folder(arguments, settings)
    with glue_job(argv):
        return load_range(arguments["from"], arguments.get("to"), tables, settings, contracts, resume=resume)


if __name__ == "__main__":
    end(sys.argv, lambda: main(sys.argv))
