"""Knows what column names mean: one table of words for discovery, drift and the linter."""

from masking.policy.names.meaning import Meaning, meaning

__all__ = ["Meaning", "meaning"]
