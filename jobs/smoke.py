"""The smoke job: an installation's first run. It reads no row and says what works, and the fix where something fails.

    spark-submit jobs/smoke.py --settings settings.toml

Arguments: `--settings PATH` or `s3://…`. It ends with 0, 2 (something must change) or 3 (something did not answer).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.arguments import resolved, settings_file
from jobs.ending import end
from jobs.glue import glue_job

if TYPE_CHECKING:
    from etl.upkeep.smoke.checks import Smoked


def main(argv: Sequence[str]) -> Smoked:
    """Tries everything, prints a line for each check, and returns how it went."""
    arguments = resolved(argv, required=(), optional=("settings",))
    from etl.settings import load_settings  # noqa: PLC0415  a wrong argument is refused before anything loads
    from etl.upkeep.smoke.checks import smoke  # noqa: PLC0415  the same

    settings = load_settings(settings_file(arguments))
    with glue_job(argv):
        smoked = smoke(settings)
    for finding in smoked.findings:
        told = f"{type(finding.failure).__name__}: {finding.failure}" if finding.failure else finding.found
        print(f"{'FAILED' if finding.failure else 'ok':7} {finding.name:10} {told}", flush=True)  # noqa: T201  the result
    return smoked


if __name__ == "__main__":
    end(sys.argv, lambda: main(sys.argv))
