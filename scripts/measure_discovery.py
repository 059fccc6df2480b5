"""Measures what discovery and the linter make of columns of public schemas, against the class that an expert gives.

Names and types alone are judged, as `kagemusha discover` sees them without --sample; tests/schemas/columns/README.md
tells where they come from. A sensitive column is caught when the policy allows the proposed mask for what it really is,
and noticed when the linter has a finding once it is kept under class `none`.

Usage: python scripts/measure_discovery.py [--misses]
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402  needs the path above
from pydantic import TypeAdapter  # noqa: E402  the same

from masking.policy import POLICY, ColumnClass, PolicyColumn, check_policy  # noqa: E402  the same
from masking.strategies import AnyStrategy, Keep, Strategy  # noqa: E402  the same
from schemas.found import FoundColumn, FoundTable  # noqa: E402  the same
from schemas.propose import decide  # noqa: E402  the same
from schemas.types import ColumnType  # noqa: E402  the same

COLUMNS: Final = ROOT / "tests" / "schemas" / "columns"
HELD_OUT: Final = frozenset(
    {"cards", "hyperswitch", "mosp", "northwind", "opencart", "openmrs", "spree", "welcart", "wordpress"}
)
"""Schemas that no word of the table was chosen for."""
_CARD: Final = frozenset({"sensitive_authentication", "pan", "card_expiry", "service_code"})
_NOT_LINTED: Final = frozenset({"identifier", "free_text"})
"""Classes of which every second column speaks; the linter leaves most of them to the review."""
_STRATEGIES: Final[TypeAdapter[Strategy]] = TypeAdapter(AnyStrategy)


@dataclass(frozen=True)
class Judged:
    """One column, its true class, and what becomes of it.

    Attributes:
        schema: the file it stands in.
        place: `table.column`.
        truth: its class; `personal` for what tells of a person and has no class, such as pay, score or health.
        mask: the proposed strategy.
        caught: whether the policy allows that mask for the true class.
        noticed: whether the linter finds the column when it is kept under class `none`.
    """

    schema: str
    place: str
    truth: str
    mask: str
    caught: bool
    noticed: bool


@dataclass(frozen=True)
class Figures:
    """Counts of columns: those of a kind, and those that came out right; of harmless ones, those that are dropped."""

    card: int
    card_caught: int
    card_noticed: int
    sensitive: int
    sensitive_caught: int
    linted: int
    linted_noticed: int
    harmless: int
    harmless_dropped: int

    @property
    def card_recall(self) -> float:
        """Share of card and authentication data that is masked as it must be."""
        return self.card_caught / self.card

    @property
    def recall(self) -> float:
        """Share of all sensitive columns that are masked as they must be."""
        return self.sensitive_caught / self.sensitive

    @property
    def lint_recall(self) -> float:
        """Share of columns of persons and cards that the linter finds when they are kept under class `none`."""
        return self.linted_noticed / self.linted

    @property
    def dropped(self) -> float:
        """Share of harmless columns that are dropped."""
        return self.harmless_dropped / self.harmless


def judged() -> Iterator[Judged]:
    """Yields every column of the set."""
    for path in sorted(COLUMNS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield _judge(path.stem, row)


def _judge(schema: str, row: dict[str, str]) -> Judged:
    enum = row["type"] == "enum"
    kind = ColumnType.parse("string" if enum else row["type"])
    length = int(row["length"]) if row["length"] else None
    column = FoundColumn(row["column"], kind, not_null=False, enum=enum, length=length)
    key = ("id",) if row["column"] != "ID" else ("ID",)  # all these schemas call a primary key of one column so
    written, _, _ = decide(FoundTable(f"s.{row['table']}", (column,), key), column, row["table"])
    mask = _STRATEGIES.validate_python(yaml.safe_load(written))
    kept = Keep(why="for the linter to see")
    shown = PolicyColumn(row["table"], "d", row["column"], ColumnClass.NONE, kept, kind=kind.name)
    truth = row["class"]
    allowed = None if truth == "personal" else POLICY[ColumnClass(truth)].allowed
    caught = mask.strategy in allowed if allowed is not None else mask.strategy != "keep"
    return Judged(schema, f"{row['table']}.{row['column']}", truth, mask.strategy, caught, bool(check_policy([shown])))


def figures(columns: list[Judged]) -> Figures:
    """Returns the counts of some columns."""
    card = [one for one in columns if one.truth in _CARD]
    sensitive = [one for one in columns if one.truth != "none"]
    linted = [one for one in sensitive if one.truth not in _NOT_LINTED]
    harmless = [one for one in columns if one.truth == "none"]
    return Figures(
        card=len(card),
        card_caught=sum(one.caught for one in card),
        card_noticed=sum(one.noticed for one in card),
        sensitive=len(sensitive),
        sensitive_caught=sum(one.caught for one in sensitive),
        linted=len(linted),
        linted_noticed=sum(one.noticed for one in linted),
        harmless=len(harmless),
        harmless_dropped=sum(one.mask == "drop" for one in harmless),
    )


def main() -> int:
    """Prints the figures, and with --misses each column that came out wrong."""
    columns = list(judged())
    parts = {
        "tuned on": figures([one for one in columns if one.schema not in HELD_OUT]),
        "held out": figures([one for one in columns if one.schema in HELD_OUT]),
        "all": figures(columns),
    }
    print(f"{len(columns):,} columns of {len({one.schema for one in columns})} schemas")
    for name, found in parts.items():
        print(f"\n{name}")
        print(f"  card and authentication data masked as it must be  {_share(found.card_caught, found.card)}")
        print(f"  all sensitive columns masked as they must be       {_share(found.sensitive_caught, found.sensitive)}")
        print(f"  kept card and authentication data that lint finds  {_share(found.card_noticed, found.card)}")
        print(f"  kept columns of persons and cards that lint finds  {_share(found.linted_noticed, found.linted)}")
        print(f"  harmless columns dropped                           {_share(found.harmless_dropped, found.harmless)}")
    if "--misses" in sys.argv[1:]:
        for one in columns:
            if (one.truth == "none" and one.mask == "drop") or (one.truth != "none" and not one.caught):
                print(f"{one.schema}: {one.place} is {one.truth}, proposed {one.mask}")
            elif one.truth not in {"none", *_NOT_LINTED} and not one.noticed:
                print(f"{one.schema}: {one.place} is {one.truth}, and lint says nothing")
    return 0


def _share(part: int, whole: int) -> str:
    return f"{part:>5,} of {whole:>5,}  {100 * part / whole:6.2f} %"


if __name__ == "__main__":
    raise SystemExit(main())
