"""BigQuery's documented limits, planned for before a job is started rather than met in the middle of one.

Source: BigQuery documentation, "Quotas and limits": load jobs, partitioned tables, standard tables.
"""

from __future__ import annotations

from typing import Final

from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.stage import Staged

MODIFICATIONS_A_DAY: Final = 1_500
"""Load jobs that may append to or replace (parts of) one table a day."""
PARTITIONS_A_JOB: Final = 4_000
URIS_A_JOB: Final = 10_000
BYTES_A_JOB: Final = 15 * 10**12


def refuse_beyond_limits(staged: Staged) -> None:
    """Lets a stage pass whose every destination can be loaded by one job.

    Raises:
        PublishRefused: a destination has more files or bytes than one job takes.
    """
    days = {file.partition for file in staged.files}
    for day in days:
        files = [file for file in staged.files if file.partition == day]
        size = sum(file.bytes for file in files)
        if len(files) > URIS_A_JOB or size > BYTES_A_JOB:
            raise PublishRefused(
                f"{len(files):,} files of {size:,} bytes are more than one load job takes "
                f"({URIS_A_JOB:,} files, {BYTES_A_JOB:,} bytes).",
                not_done=NOT_PUBLISHED,
                advice="Raise [source].slice_mib for fewer files, or load fewer days at once.",
                where={"table": staged.plan.table},
            )
