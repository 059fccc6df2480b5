"""Staged → Approved: what was staged is compared, checked by Great Expectations, and judged once."""
