"""What PCI DSS v4.0.1 and Japanese law ask, what the records of a run answer, and which record is missing.

Each rule reads the records and yields what it found and what it misses; what the pipeline can never answer stands in
the words of the requirement (`reports/words/`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from etl.reports.facts.said import said
from etl.reports.proof.answer import Answer, Findings, Requirement, Told
from etl.reports.proof.looks import event_said
from etl.reports.proof.records import Records
from masking.policy import ColumnClass
from schemas.columns import Column

_LEAK_CHECK: Final = "staged_values_hold_no_leak"
_LUHN_CHECK: Final = "card_tokens_fail_luhn"
_LEAK_ERROR: Final = "LeakFound"
_ONE_WAY: Final = "pseudonymize"


def answers(records: Records) -> tuple[Answer, ...]:
    """Returns an answer to every requirement, in the order of the standards."""
    return tuple(_answer(one, records) for one in REQUIREMENTS)


def _answer(one: Requirement, records: Records) -> Answer:
    told = list(one.rule(records))
    found = tuple(here for here, _ in told if here)
    missing = tuple(gone for _, gone in told if gone)
    return Answer(one.standard, one.number, one.key, one.records, Findings(found, missing))


def _columns(records: Records, *classes: ColumnClass) -> dict[str, Column]:
    """Returns the columns of some classes, or of all that are about a person or a card, of the tables of the run."""
    return {
        f"{one.load.table}.{name}": column
        for one in records.tables
        if one.ran.contract is not None
        for name, column in one.ran.contract.columns.items()
        if (column.column_class in classes if classes else column.column_class != ColumnClass.NONE)
    }


def _contracts(records: Records) -> Told:
    """Tells which tables have no proven contract: what their columns became is not proven either."""
    if not records.tables:
        yield None, said("missing.loads")
    for proof in ("none", "unproven", "changed"):
        tables = [one.load.table for one in records.tables if one.load.published and one.ran.proof == proof]
        if tables:
            yield None, said(f"missing.contract_{proof}", tables=", ".join(tables))


def _check(records: Records, name: str, key: str, *, of: Sequence[str] | None = None) -> Told:
    """Tells of how many published tables a check held, and of which there is no record of it."""
    loads = [one.load for one in records.tables if one.load.published and (of is None or one.load.table in of)]
    results = {load.table: [one for one in load.checks if one.name.startswith(name)] for load in loads}
    held = [table for table, found in results.items() if found and all(one.passed for one in found)]
    if held:
        yield said(f"found.{key}", tables=len(held)), None
    without = [table for table, found in results.items() if not found]
    if without:
        yield None, said("missing.check", check=name, tables=", ".join(without))


def _authentication_data(records: Records) -> Told:
    yield from _contracts(records)
    columns = _columns(records, ColumnClass.SENSITIVE_AUTHENTICATION)
    dropped = [name for name, one in columns.items() if one.dropped]
    if records.tables:
        yield said("found.sad_dropped", dropped=len(dropped), columns=len(columns), names=", ".join(dropped)), None
    yield from _check(records, _LEAK_CHECK, "leak_check")


def _card_numbers(records: Records) -> Told:
    yield from _contracts(records)
    columns = _columns(records, ColumnClass.PAN)
    for strategy, count in sorted(Counter(one.mask.strategy for one in columns.values()).items()):
        names = ", ".join(name for name, one in columns.items() if one.mask.strategy == strategy)
        yield said("found.pan_by", strategy=strategy, columns=count, names=names), None
    tokens = [name.split(".")[0] for name, one in columns.items() if one.mask.strategy == "fpe"]
    yield from _check(records, _LEAK_CHECK, "leak_check")
    yield from _check(records, _LUHN_CHECK, "luhn_check", of=tokens)


def _keyed_hashes(records: Records) -> Told:
    yield from _contracts(records)
    columns = _columns(records, ColumnClass.PAN)
    hashed = [name for name, one in columns.items() if one.mask.strategy == _ONE_WAY]
    if hashed:
        yield said("found.hashes", columns=len(hashed), names=", ".join(hashed)), None
    elif columns:
        yield said("found.no_hash", columns=len(columns)), None
    if hashed:
        yield from _keys(records)


def _keys(records: Records) -> Told:
    known: dict[str, set[str]] = {}
    for event in records.key_events:
        known.setdefault(str(event.version), set()).add(event.kcv)
    for version, kcv in records.keys_used.items():
        if version not in known:
            yield None, said("missing.key_events", version=version)
        elif kcv not in known[version]:
            yield None, said("missing.kcv", version=version)
        else:
            yield said("found.key", version=version, kcv=kcv), None
    if not records.tables:
        yield None, said("missing.loads")
    elif not records.keys_used:
        yield None, said("missing.keys_used")
    for name, count in sorted(Counter(one.event for one in records.key_events).items()):
        yield said("found.key_events", event=event_said(name), count=count), None


def _not_live(records: Records) -> Told:
    yield from _contracts(records)
    columns = _columns(records, ColumnClass.PAN)
    if records.tables:
        yield said("found.no_live_pan", columns=len(columns)), None
    yield from _check(records, _LEAK_CHECK, "leak_check")


def _access(records: Records) -> Told:
    for one in records.access:
        if one.members is None:
            yield None, said("missing.dataset", dataset=one.dataset)
        else:
            yield said("found.access", dataset=one.dataset, members=len(one.members)), None


def _logs(records: Records) -> Told:
    if records.run.ended is None:
        yield None, said("missing.end")
    else:
        yield said("found.run_logged", tables=len(records.tables)), None
    if not records.tables:
        yield None, said("missing.loads")
    yield from _looks(records)
    yield said("found.waivers", count=len(records.waivers)), None
    yield said("found.erasures", count=len(records.erasures)), None


def _looks(records: Records) -> Told:
    if records.looks is None:
        yield None, said("missing.access_log")
        return
    for key, makes in (("looks", False), ("made", True)):
        of_kind = [one for one in records.looks if one.makes == makes]
        users, values = sorted({one.user for one in of_kind}), sum(one.count for one in of_kind)
        yield said(f"found.{key}", count=len(of_kind), values=values, users=", ".join(users) or "–"), None


def _whole_logs(records: Records) -> Told:
    signed = [one for one in records.tables if one.load.signed]
    published = [one for one in records.tables if one.load.published]
    if signed:
        yield said("found.signed", signed=len(signed), rows=len(records.tables)), None
    unsigned = [one.load.table for one in published if not one.load.signed]
    if unsigned:
        yield None, said("missing.signature", tables=", ".join(unsigned))
    if not published:
        yield None, said("missing.loads")


def _scope(records: Records) -> Told:
    yield from _contracts(records)
    columns = _columns(records, ColumnClass.PAN, ColumnClass.SENSITIVE_AUTHENTICATION)
    tables = sorted({name.split(".")[0] for name in columns})
    if records.tables:
        yield said("found.scope", all=len(records.tables), tables=len(tables), names=", ".join(tables) or "–"), None
    if records.run.instance:
        yield said("found.reader", instance=records.run.instance), None
    else:
        yield None, said("missing.reader")


def _stopped(records: Records) -> Told:
    stopped = [one.load.table for one in records.tables if one.load.failure == _LEAK_ERROR]
    if not records.tables:
        yield None, said("missing.loads")
        return
    yield said("found.stopped" if stopped else "found.none_stopped", tables=", ".join(stopped)), None
    yield from _check(records, _LEAK_CHECK, "leak_check")


def _personal(records: Records) -> Told:
    yield from _contracts(records)
    columns = _columns(records)
    fates = Counter(
        "dropped" if one.dropped else "kept" if one.kept else "reversible" if one.mask.reversible else "one_way"
        for one in columns.values()
    )
    if columns:
        counts: Mapping[str, int] = {key: fates[key] for key in ("dropped", "one_way", "reversible", "kept")}
        yield said("found.personal", columns=len(columns), **counts), None


def _erased(records: Records) -> Told:
    yield said("found.erasures", count=len(records.erasures)), None
    rules = Counter(one.erasure.rule for one in records.contracts.values() if one.erasure)
    for rule, count in sorted(rules.items()):
        yield said("found.erasure_rules", rule=rule, count=count), None
    undecided = [name for name, one in records.contracts.items() if one.erasure is None and one.personal]
    if undecided:
        yield None, said("missing.erasure_rule", tables=", ".join(sorted(undecided)))


def _safety(records: Records) -> Told:
    yield from _keys(records)
    yield from _check(records, _LEAK_CHECK, "leak_check")


def _location(records: Records) -> Told:
    yield said("found.location", location=records.location), None


def _my_number(records: Records) -> Told:
    yield from _contracts(records)
    columns = _columns(records, ColumnClass.NATIONAL_ID)
    dropped = [name for name, one in columns.items() if one.dropped]
    if records.tables:
        yield said("found.my_number", dropped=len(dropped), columns=len(columns)), None


_CONTRACTS: Final = ("contracts.json", "ops.table_loads.contract_digest")
_AUDITS: Final = "ops.audits"
_KEYS: Final = ("ops.key_events", "ops.table_loads.key_checks")
_LOG: Final = "[detokenize].audit_log"
_ACCESS: Final = "BigQuery access"
REQUIREMENTS: Final = (
    Requirement("pci", "3.3", "pci_3_3", (*_CONTRACTS, _AUDITS), _authentication_data),
    Requirement("pci", "3.5.1", "pci_3_5_1", (*_CONTRACTS, _AUDITS), _card_numbers),
    Requirement("pci", "3.5.1.1", "pci_3_5_1_1", (*_CONTRACTS, *_KEYS), _keyed_hashes),
    Requirement("pci", "3.6, 3.7", "pci_3_6", _KEYS, _keys),
    Requirement("pci", "6.5.5", "pci_6_5_5", (*_CONTRACTS, _AUDITS), _not_live),
    Requirement("pci", "7", "pci_7", (_ACCESS,), _access),
    Requirement("pci", "10.2", "pci_10_2", ("ops.runs", "ops.table_loads", _LOG, "ops.waivers", "ops.erasures"), _logs),
    Requirement("pci", "10.3", "pci_10_3", ("ops.table_loads.signature",), _whole_logs),
    Requirement("pci", "12.5.2", "pci_12_5_2", (*_CONTRACTS, "ops.runs.source_instance"), _scope),
    Requirement("pci", "12.10.7", "pci_12_10_7", ("ops.table_loads.outcome", _AUDITS), _stopped),
    Requirement("appi", "22", "appi_22", ("ops.erasures", _CONTRACTS[0]), _erased),
    Requirement("appi", "23", "appi_23", (*_KEYS, _AUDITS), _safety),
    Requirement("appi", "24", "appi_24", (_LOG,), _looks),
    Requirement("appi", "26", "appi_26", ("ops.table_loads.outcome", _AUDITS), _stopped),
    Requirement("appi", "28", "appi_28", ("[bigquery].location",), _location),
    Requirement("appi", "35", "appi_35", ("ops.erasures", _CONTRACTS[0]), _erased),
    Requirement("appi", "41", "appi_41", _CONTRACTS, _personal),
    Requirement("appi", "番号法 19, 20", "my_number", _CONTRACTS, _my_number),
)
"""PCI DSS v4.0.1 (2024); 個人情報の保護に関する法律 (as in force since April 2023) and its Enforcement Rules."""
