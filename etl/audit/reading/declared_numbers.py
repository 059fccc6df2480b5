"""Declared numbers in staged files: a column that a contract declares to be something else is none of card numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from expectations.checks import Check, CheckResult
from masking.formats import LuhnShare, format_named, luhn_share
from schemas.contract import Contract

_ROWS_TOGETHER: Final = 100_000
"""Rows are judged together in groups of about this many: a few rows of a day tell nothing by themselves."""

Shares = Mapping[str, LuhnShare]


def declared_rates(contract: Contract) -> Mapping[str, float]:
    """Returns the declared columns whose values pass Luhn by chance only, and how many of them do."""
    rates = {name: format_named(column.number).rate for name, column in contract.selected.items() if column.number}
    return {name: rate for name, rate in rates.items() if rate < 1}


class DeclaredNumbers:
    """The shares of declared columns that pass Luhn, one of each group of rows that are read one after another.

    Args:
        columns: the declared columns.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._waiting: dict[str, list[pa.Array]] = {name: [] for name in columns}
        self._rows = 0
        self._shares: list[Shares] = []

    def look(self, batch: pa.RecordBatch) -> None:
        """Adds a batch to the present group."""
        for name, waiting in self._waiting.items():
            waiting.append(_values(batch.column(name)))
        self._rows += batch.num_rows
        if self._rows >= _ROWS_TOGETHER:
            self._judge()

    def shares(self) -> tuple[Shares, ...]:
        """Returns the shares of all groups."""
        if self._rows:
            self._judge()
        return tuple(self._shares)

    def _judge(self) -> None:
        if self._waiting:
            texts = {name: pa.concat_arrays(values) for name, values in self._waiting.items()}
            self._shares.append({name: luhn_share(values, distinct=True) for name, values in texts.items()})
        self._waiting, self._rows = {name: [] for name in self._waiting}, 0


def _values(column: pa.Array) -> pa.Array:
    """Returns all values of a column as texts; of those that repeat, the different ones."""
    return (column.dictionary if pa.types.is_dictionary(column.type) else column).cast(pa.string())


def declared_results(contract: Contract, groups: Sequence[Shares]) -> list[CheckResult]:
    """Of every declared number no more distinct values pass Luhn than chance allows; see `masking.formats.shares`."""
    if not groups:
        return []
    return [_result(name, rate, [group[name] for group in groups]) for name, rate in declared_rates(contract).items()]


def _result(name: str, rate: float, shares: Sequence[LuhnShare]) -> CheckResult:
    """Returns the worst group's share; one group that holds card numbers is enough."""
    refused = [share for share in shares if share.too_high(rate)]
    worst = max(refused or shares, key=lambda share: share.valid)
    check = Check("declared_numbers_are_no_cards", {"column": name}, origin="reconciliation")
    return CheckResult(check, passed=not refused, failed=worst.valid if refused else 0, checked=worst.numbers)
