"""The guarded read: connect to the ETL endpoint, prove that it is a reader, pin a snapshot, read slices as Arrow."""

from etl.source.catalogue import Definition, SourceColumn, SourceTable
from etl.source.dialect import POSTGRES, Dialect, ReadColumn
from etl.source.exact_types import without_flags
from etl.source.open import hold_snapshot, join_snapshot
from etl.source.postgres.read import read_slice
from etl.source.session import Session
from etl.source.slice import Changes, Slice
from etl.source.slices import (
    MAX_SLICES,
    busy_slices,
    change_slices,
    changes_condition,
    days_condition,
    whole_table,
    window_slices,
)
from etl.source.snapshot import HeldSnapshot, Snapshot
from etl.source.throttle.governor import Governor
from etl.source.way import reach

__all__ = [
    "MAX_SLICES",
    "POSTGRES",
    "Changes",
    "Definition",
    "Dialect",
    "Governor",
    "HeldSnapshot",
    "ReadColumn",
    "Session",
    "Slice",
    "Snapshot",
    "SourceColumn",
    "SourceTable",
    "busy_slices",
    "change_slices",
    "changes_condition",
    "days_condition",
    "hold_snapshot",
    "join_snapshot",
    "reach",
    "read_slice",
    "whole_table",
    "window_slices",
    "without_flags",
]
