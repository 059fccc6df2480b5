"""Knows what column names mean: one table of words for discovery, drift and the linter."""

from masking.policy.names.meaning import Meaning, meaning
from masking.policy.names.table import HARMLESS

__all__ = ["HARMLESS", "Meaning", "meaning"]
