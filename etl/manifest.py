"""The manifest against storage: what was staged is still there, byte for byte and generation for generation."""

from __future__ import annotations

from etl.handoff import Staged
from etl.storage import Stage, StageTarget


def changed_files(staged: Staged, target: StageTarget) -> int:
    """Gives how many files of the manifest storage describes otherwise than the workers that wrote them, or not at all.

    Raises:
        StorageUnavailable: storage did not answer.
    """
    folder = f"{target.prefix}/{staged.run_id}/{staged.plan.table}/"
    stored = {(one.name, one.bytes, one.crc32c, one.generation) for one in Stage(target).stored(folder)}
    return sum((file.name, file.bytes, file.crc32c, file.generation) not in stored for file in staged.files)
