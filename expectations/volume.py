"""Compares a load with earlier ones: its row count and each column's share of NULLs stay within bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from expectations.checks import Check, CheckResult
from expectations.suite import Volume


@dataclass(frozen=True)
class LoadSize:
    """How much one load held: its rows, how many of each column were NULL, and its rows by business day.

    Attributes:
        days: rows by day (ISO); empty for a whole table, and where nobody counted by days.
        again: whether it loaded the very business day that is loaded now, and is what the load replaces.
    """

    rows: int
    nulls: Mapping[str, int]
    days: Mapping[str, int] = field(default_factory=dict)
    again: bool = False


def volume_results(bands: Volume, load: LoadSize, earlier: Sequence[LoadSize]) -> tuple[CheckResult, ...]:
    """Returns one result for the row count and one for the shares of NULLs; none while too few loads are known.

    Medians are compared, so that one odd load among the earlier ones moves nothing. A result counts rows beyond the
    band, or columns beyond theirs; each column that is beyond is a result of its own.

    Args:
        bands: how far a load may differ.
        load: the one to judge.
        earlier: loads of the same table, newest first; of those of other business days, as many as the bands name are
            looked at.
    """
    known = [one for one in earlier if not one.again][: bands.loads]
    if not bands.check or len(known) < bands.loads:
        return ()
    usual = median(one.rows for one in known)
    beyond = _beyond(load.rows, usual * (1 - bands.rows), usual * (1 + bands.rows))
    rows = Check("load_rows_within_band", {"rows": bands.rows}, bands.severity, "history")
    found = [CheckResult(rows, passed=beyond == 0, failed=round(beyond), checked=load.rows)]
    shares = {name: _share(load, name) for name in load.nulls} if load.rows else {}
    for name, share in shares.items():
        before = [_share(one, name) for one in known if one.rows and name in one.nulls]
        if len(before) == len(known):
            moved = abs(share - median(before)) > bands.nulls
            check = Check("load_nulls_within_band", {"column": name, "nulls": bands.nulls}, bands.severity, "history")
            found.append(
                CheckResult(check, passed=not moved, failed=load.nulls[name] if moved else 0, checked=load.rows)
            )
    return tuple(found)


def _share(load: LoadSize, name: str) -> float:
    return load.nulls[name] / load.rows


def _beyond(value: float, low: float, high: float) -> float:
    return max(low - value, value - high, 0)
