"""The clock: the one place that asks what time it is."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Returns the present instant (UTC)."""
    return datetime.now(UTC)
