"""What publishing hands on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """What BigQuery confirmed."""

    rows: int
    partitions: int
    job_ids: tuple[str, ...]
    seconds: float
    keys_compared: int | None = None
    deleted: int = 0
