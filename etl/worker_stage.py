"""One storage client for all tasks of a worker process."""

from __future__ import annotations

from functools import lru_cache

from etl.storage import Stage, StageTarget


@lru_cache(maxsize=4)
def worker_stage(target: StageTarget) -> Stage:
    """Gives this process's client of a staging bucket: making one costs more than reading a small file."""
    return Stage(target)
