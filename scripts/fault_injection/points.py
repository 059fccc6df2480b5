"""Every fault point, in the order in which they are tried."""

from __future__ import annotations

from typing import Final

from scripts.fault_injection import points_bigquery, points_mysql, points_processes, points_storage, points_world
from scripts.fault_injection.point import Point

POINTS: Final[tuple[Point, ...]] = (
    *points_storage.POINTS, *points_bigquery.POINTS, *points_processes.POINTS, *points_world.POINTS,
    *points_mysql.POINTS,
)  # fmt: skip
