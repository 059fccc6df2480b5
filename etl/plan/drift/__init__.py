"""Drift: what the source's catalogue and a contract disagree about, found before a row is read."""

from etl.plan.drift.find import Drift, DriftKind, find_drift, suggestion
from etl.plan.drift.refuse import without_drift

__all__ = ["Drift", "DriftKind", "find_drift", "suggestion", "without_drift"]
