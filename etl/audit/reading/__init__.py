"""The workers' one reading of staged bytes: footers, leaks, card tokens, declared numbers, and all that is counted."""

from etl.audit.reading.declared_numbers import declared_results
from etl.audit.reading.footers import as_instant
from etl.audit.reading.job import read_staged
from etl.audit.reading.leaks import leak_results
from etl.audit.reading.seen import Rules, Seen, rules_of

__all__ = ["Rules", "Seen", "as_instant", "declared_results", "leak_results", "read_staged", "rules_of"]
