"""One requirement of a standard, and what the records of a run answer of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from etl.reports.facts.said import Said
from etl.reports.proof.records import Records

Standard = Literal["pci", "appi"]
State = Literal["answered", "partly", "missing"]
Told = Iterator[tuple[Said | None, Said | None]]
"""What a rule tells one after another: what it found, or what it misses."""


@dataclass(frozen=True)
class Findings:
    """What a rule found in the records, and what it misses there."""

    found: tuple[Said, ...] = ()
    missing: tuple[Said, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """One requirement: its number, the records that it is answered from, and the rule that reads them."""

    standard: Standard
    number: str
    key: str
    records: tuple[str, ...]
    rule: Callable[[Records], Told]


@dataclass(frozen=True)
class Answer:
    """What the records of a run answer of one requirement.

    Attributes:
        key: of its words: title, what it asks, what is not answered.
        sources: the records that it stands on, as the ledger names them.
    """

    standard: Standard
    number: str
    key: str
    sources: tuple[str, ...]
    findings: Findings = field(default_factory=Findings)

    @property
    def state(self) -> State:
        """answered; partly, where a record is missing; missing, where nothing at all was found."""
        if not self.findings.missing:
            return "answered"
        return "partly" if self.findings.found else "missing"
