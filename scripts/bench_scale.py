"""Measures growth: what a run costs with more tables, slices, business days and earlier runs, and what one more costs.

    python scripts/bench_scale.py                            # everything; half an hour on two cores
    python scripts/bench_scale.py --only tables --sizes 16 100

Each figure is of a command of its own, from start to end, on a local stack of its own; figures are of the second run,
as every night is, but of a backfill, which is done once. One more costs the difference of two sizes, in processor
seconds of all the job's processes; the last such step beside the first should be at most 1.3. Written to
.local/bench/scale.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402  needs the path above
from rich.table import Table  # noqa: E402  the same

from scripts.scale.gauge import Cost  # noqa: E402  the same
from scripts.scale.ground import DAY, Ground, days_back, ground  # noqa: E402  the same

FOLDER: Final = ROOT / ".local" / "bench"
BOUND: Final = 1.3
_ROWS: Final = 100
_ROWS_OF_A_DAY: Final = 20
_DAYS_OF_A_NIGHT: Final = 2
"""The day of a run and its one day of lookback."""
_PAGES_MIB: Final = 0.0625
"""A slice of eight pages of 8 KiB."""
_ROWS_OF_A_SLICE: Final = 700
"""About as many rows of the measured table as eight pages hold."""
_TABLES_BESIDE: Final = 16
_TABLES_SLICED: Final = 5
_TELLING: Final = 1.0
"""Processor seconds by which two runs of the same work differ."""
_WIDTH: Final = 170


@dataclass(frozen=True)
class Growth:
    """One way to grow.

    Attributes:
        sizes: from small to large.
        cost: measures one size.
    """

    sizes: tuple[int, ...]
    cost: Callable[[Ground, int], Cost]


def of_tables(place: Ground, count: int) -> Cost:
    """So many tables of 100 rows, loaded whole."""
    contracts = place.seed(f"tables-{count}", _names(count), _ROWS)
    return _second(place, contracts)


def of_slices(place: Ground, count: int) -> Cost:
    """So many slices of five tables, loaded whole: one table has fewer than 5,000."""
    names = [f"sliced_{number}" for number in range(_TABLES_SLICED)]
    contracts = place.seed(f"slices-{count}", names, count // _TABLES_SLICED * _ROWS_OF_A_SLICE)
    return _second(place, contracts, slice_mib=_PAGES_MIB)


def of_days(place: Ground, count: int) -> Cost:
    """One table by business days, so many of which are loaded one by one, because it holds other days already."""
    rows = (count + _DAYS_OF_A_NIGHT) * _ROWS_OF_A_DAY
    contracts = place.seed(f"days-{count}", [f"daily_{count}"], rows, a_day=_ROWS_OF_A_DAY)
    place.measured(contracts, "run", "--day", str(DAY))
    first, last = days_back(count, before=_DAYS_OF_A_NIGHT)
    return place.measured(contracts, "backfill", "--from", first, "--to", last)


def of_first_days(place: Ground, count: int) -> Cost:
    """One table by business days, so many of which are loaded while it is empty; many go at once."""
    contracts = place.seed(f"first-{count}", [f"first_{count}"], count * _ROWS_OF_A_DAY, a_day=_ROWS_OF_A_DAY)
    first, last = days_back(count)
    return place.measured(contracts, "backfill", "--from", first, "--to", last)


def of_runs(place: Ground, count: int) -> Cost:
    """Sixteen tables, when the ledger holds so many earlier runs."""
    contracts = place.seed(f"runs-{count}", _names(_TABLES_BESIDE), _ROWS)
    place.measured(contracts, "run", "--day", str(DAY))
    place.remember(count)
    return place.measured(contracts, "run", "--day", str(DAY))


GROWTHS: Final[Mapping[str, Growth]] = {
    "tables": Growth((16, 100, 300), of_tables),
    "slices": Growth((100, 1000, 5000), of_slices),
    "days": Growth((30, 100, 300), of_days),
    "first days": Growth((100, 200, 300), of_first_days),
    "earlier runs": Growth((1, 100, 1000), of_runs),
}


def _names(count: int) -> list[str]:
    return [f"small_{number:03d}" for number in range(count)]


def _second(place: Ground, contracts: Path, **how: float) -> Cost:
    place.measured(contracts, "run", "--day", str(DAY), **how)
    return place.measured(contracts, "run", "--day", str(DAY), **how)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(GROWTHS), help="ways to grow; default: all")
    parser.add_argument("--sizes", nargs="+", type=int, help="sizes to measure instead, from small to large")
    parser.add_argument("--root", type=Path, default=FOLDER / "scale", help="folder of the stack")
    parser.add_argument("--output", type=Path, default=FOLDER / "scale.json", help="file of the figures")
    given = parser.parse_args(arguments)
    found: dict[str, dict[int, Cost]] = {}
    for name in given.only or GROWTHS:
        growth = GROWTHS[name]
        costs = found.setdefault(name, {})
        with ground(given.root) as place:
            for size in given.sizes or growth.sizes:
                costs[size] = growth.cost(place, size)
                print(f"{size} {name}: {costs[size].wall:.0f} s", flush=True)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(figures(found), indent=2) + "\n", encoding="utf-8")
    show(found)
    return 0


def figures(found: Mapping[str, Mapping[int, Cost]]) -> dict[str, object]:
    """Returns all figures as JSON spells them."""
    return {
        name: {
            "sizes": {str(size): cost.to_json() for size, cost in costs.items()},
            "cpu_seconds_of_one_more": [round(one, 4) for one in one_more(costs)],
        }
        for name, costs in found.items()
    }


def one_more(costs: Mapping[int, Cost]) -> Iterator[float]:
    """Yields what one more costs between each size and the next, in processor seconds."""
    for (smaller, less), (larger, more) in pairwise(costs.items()):
        yield (more.cpu - less.cpu) / (larger - smaller)


def show(found: Mapping[str, Mapping[int, Cost]]) -> None:
    """Prints a line a size."""
    drawn = Table("what", title="Growth", title_justify="left")
    names = ("how many", "wall s", "driver CPU s", "JVM CPU s", "workers CPU s", "driver MiB", "JVM MiB", "threads",
             "source", "storage", "BigQuery", "one more, CPU ms")  # fmt: skip
    for name in names:
        drawn.add_column(name, justify="right")
    for name, costs in found.items():
        steps = [float("nan"), *one_more(costs)]
        for (size, cost), step in zip(costs.items(), steps, strict=True):
            cells = (f"{cost.wall:.1f}", f"{cost.driver:.1f}", f"{cost.jvm:.1f}", f"{cost.workers:.1f}")
            rest = (cost.peak_mib, cost.jvm_mib, cost.threads, *cost.requests.values())
            more = "" if step != step else f"{step * 1000:.1f}"  # noqa: PLR0124  not a number: there is no smaller size
            drawn.add_row(name, f"{size:,}", *cells, *(f"{one:,}" for one in rest), more)
        drawn.add_section()
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(drawn)
    for name, costs in found.items():
        print(f"{name}: one more costs {compared(costs)}")


def compared(costs: Mapping[int, Cost]) -> str:
    """Returns how what one more costs at the largest size compares with the smallest; noise is not compared."""
    each, spent = list(one_more(costs)), [cost.cpu for cost in costs.values()]
    if len(each) <= 1:
        return "what can be compared from three sizes on"
    if max(spent) - min(spent) < _TELLING:
        return "nothing that can be told from noise"
    if spent[1] - spent[0] < _TELLING:
        return "too little at the smallest size to be compared"
    return f"{each[-1] / each[0]:.2f} times as much at the largest size (bound {BOUND})"


if __name__ == "__main__":
    sys.exit(main())
