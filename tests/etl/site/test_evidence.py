"""What the evidence answers, from which record; without the record it says so, in both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from etl.reports.evidence import comparison_text, evidence_text
from etl.reports.proof.answer import Answer
from etl.reports.proof.comparison import compare
from etl.reports.proof.contracts_of_run import RanUnder
from etl.reports.proof.evidence import Evidence
from etl.reports.proof.records import AccessFacts, Records, TableProof
from etl.reports.words.wording import wording
from masking.strategies import Keep
from schemas.columns import Column
from schemas.contract import Contract
from tests.etl.site.made_up import BUNDLED, evidence, records, runs

RUN = runs(BUNDLED, 1)[0]
WHOLE = records(RUN, BUNDLED)
NO_RULE = {"22", "35"}
"""Two bundled tables have no erasure rule, which two requirements say."""


def answer(found: Evidence, number: str) -> Answer:
    """Returns the answer to a requirement."""
    return next(one for one in found.answers if one.number == number)


def loads(**changed: Any) -> tuple[TableProof, ...]:
    """Returns the run's tables, with something else in each load's row."""
    return tuple(replace(one, load=replace(one.load, **changed)) for one in WHOLE.tables)


def test_whole_records_answer_everything() -> None:
    """Where no record is missing, every requirement is answered, and each names its records and what it leaves open."""
    found = evidence(RUN, BUNDLED)
    assert {one.number for one in found.answers if one.state != "answered"} == NO_RULE
    assert all(one.sources for one in found.answers)
    assert all(wording("en").text(f"requirement.{one.key}.gap") for one in found.answers)


MISSING: list[tuple[str, dict[str, Any], tuple[str, ...], str]] = [
    ("loads", {"tables": ()},
     ("3.3", "3.5.1", "3.6, 3.7", "6.5.5", "10.2", "10.3", "12.5.2", "12.10.7", "23", "26", "41"),
     "ops.table_loads has no"),
    ("audits", {"tables": loads(checks=())}, ("3.3", "3.5.1", "6.5.5", "12.10.7", "23", "26"),
     "ops.audits has no row"),
    ("digest", {"tables": tuple(replace(one, ran=RanUnder(one.ran.contract, "unproven")) for one in WHOLE.tables)},
     ("3.3", "3.5.1", "3.5.1.1", "12.5.2", "41", "番号法 19, 20"), "ops.table_loads.contract_digest is empty"),
    ("contract", {"tables": tuple(replace(one, ran=RanUnder(None, "none")) for one in WHOLE.tables)},
     ("3.3", "3.5.1", "12.5.2", "41"), "No contract is kept"),
    ("keys", {"key_events": ()}, ("3.6, 3.7", "23"), "ops.key_events has no row of version 1"),
    ("used keys", {"tables": loads(key_checks={})}, ("3.6, 3.7", "23"), "names no key version"),
    ("signature", {"tables": loads(signed=False)}, ("10.3",), "ops.table_loads.signature is empty"),
    ("end", {"run": replace(RUN, ended=None)}, ("10.2",), "ops.runs has no end"),
    ("reader", {"run": replace(RUN, instance="")}, ("12.5.2",), "ops.runs.source_instance"),
    ("log", {"looks": None}, ("10.2", "24"), "No access log is at hand"),
    ("access", {"access": (AccessFacts("issuing", None),)}, ("7",), "There is no dataset issuing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "numbers", "says"), [case[1:] for case in MISSING], ids=[case[0] for case in MISSING]
)
def test_a_missing_record_is_told(changed: dict[str, Any], numbers: tuple[str, ...], says: str) -> None:
    """Each requirement that stands on the record says that it is missing; none goes on as if it were there."""
    found = evidence(RUN, BUNDLED, **changed)
    for number in numbers:
        one = answer(found, number)
        assert one.state != "answered", number
        assert any(says in wording("en").say(each) for each in one.findings.missing), number
    untold = {one.number for one in found.answers if one.state != "answered"} - set(numbers) - NO_RULE
    assert untold <= {"3.3", "3.5.1", "3.5.1.1", "6.5.5", "12.5.2", "12.10.7", "23", "26", "41", "番号法 19, 20", "24"}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_report_says_what_is_missing(language: Any) -> None:
    """The printed report has a line for it too, in its language."""
    say = wording(language)
    told = evidence_text(evidence(RUN, BUNDLED, key_events=()), say)
    assert say.text("missing.key_events", version="1") in told
    assert say.text("evidence.no_record") in told
    assert say.text("missing.key_events", version="1") not in evidence_text(evidence(RUN, BUNDLED), say)


def test_a_stopped_table_is_named() -> None:
    """A leak that stopped a table is the answer to what happens where card numbers are not expected."""
    tables = tuple(
        replace(one, load=replace(one.load, outcome="failed: LeakFound")) if one.load.table == "payments" else one
        for one in WHOLE.tables
    )
    one = answer(evidence(RUN, BUNDLED, tables=tables), "12.10.7")
    assert any(each.key == "found.stopped" and each.values["tables"] == "payments" for each in one.findings.found)


def kept_now(contract: Contract, name: str) -> Contract:
    """Returns a contract that keeps a column which it hid before."""
    column: Column = contract.columns[name].model_copy(update={"mask": Keep(why="somebody thought it harmless")})
    return contract.model_copy(update={"columns": {**contract.columns, name: column}})


def test_what_is_newly_exposed_is_named() -> None:
    """A column that showed nothing at the earlier run and is kept at the later one is newly exposed; no other is."""
    later = {**BUNDLED, "members": kept_now(BUNDLED["members"], "name_kanji")}
    found = compare(evidence(RUN, BUNDLED), evidence(RUN, later))
    assert [(one.table, one.column) for one in found.exposing] == [("members", "name_kanji")]
    assert not found.unproven
    told = comparison_text(found, wording("ja"))
    assert "| members.name_kanji | 新たに見える |" in told
    back = compare(evidence(RUN, later), evidence(RUN, BUNDLED))
    assert not back.exposing
    assert [one.column for one in back.others] == ["name_kanji"]


def test_a_comparison_with_what_is_not_proven_says_so() -> None:
    """Where a digest does not prove a contract, nothing is claimed of that table."""
    tables = tuple(replace(one, ran=RanUnder(one.ran.contract, "changed")) for one in WHOLE.tables[:1])
    found = compare(evidence(RUN, BUNDLED, tables=tables), evidence(RUN, BUNDLED))
    assert found.unproven == (WHOLE.tables[0].load.table,)
    assert WHOLE.tables[0].load.table in comparison_text(found, wording("en"))


def test_records_hold_no_values() -> None:
    """What the evidence is made of has counts, names and digests: no field for a value of a row."""
    assert {"rows", "bytes", "nulls", "contract_digest"} <= set(WHOLE.tables[0].load.__dataclass_fields__)
    assert not {"values", "row", "sample"} & {*Records.__dataclass_fields__, *WHOLE.tables[0].load.__dataclass_fields__}
