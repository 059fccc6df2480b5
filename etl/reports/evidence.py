"""The evidence of one run for whoever asks what left the card environment, as Markdown in a language.

Names, classes, strategies, counts, digests and check values; no value of a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from etl.reports.facts.runs import LoadFacts
from etl.reports.proof.answer import Answer
from etl.reports.proof.comparison import Comparison
from etl.reports.proof.evidence import Evidence
from etl.reports.proof.looks import event_said
from etl.reports.proof.records import Records, TableProof
from etl.reports.words.wording import Wording
from masking.policy import ColumnClass
from schemas.columns import Column
from schemas.exposure import Change

Lines = Iterator[str]


def evidence_text(found: Evidence, say: Wording) -> str:
    """Returns the report of a run.

    Columns and masks are those of the contract that ran, where the run kept it; where nothing proves that, the report
    says so.
    """
    records = found.records
    parts = (
        _run_part(records, say),
        _answers_part(found.answers, say),
        _left_part(records, say),
        _key_part(records, say),
        _people_part(records, say),
        *(_table_part(one, say) for one in records.tables),
        _audit_part(records, say),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def comparison_text(found: Comparison, say: Wording) -> str:
    """Returns what differs between two runs."""
    text = say.text
    lines = [f"# {text('comparison.title', since=found.since)}", "", text("comparison.about"), ""]
    if found.unproven:
        lines += [f"**{text('comparison.unproven', tables=', '.join(found.unproven))}**", ""]
    lines += [f"## {text('comparison.exposing')}", ""]
    lines += _changes(found.exposing, say) if found.exposing else [text("comparison.none_exposing"), ""]
    if found.others:
        lines += [f"## {text('comparison.others')}", "", *_changes(found.others, say)]
    for key in ("new_tables", "gone_tables", "new_keys"):
        names: Sequence[str] = getattr(found, key)
        if names:
            lines += [f"- {text(f'comparison.{key}')}: {', '.join(names)}"]
    return "\n".join(lines) + "\n"


def _changes(changes: Sequence[Change], say: Wording) -> list[str]:
    heads = [say.text(key) for key in ("catalog.column", "comparison.what", "comparison.before", "comparison.after")]
    lines = _head(heads)
    for one in changes:
        place = f"{one.table}.{one.column}" if one.column else one.table
        lines.append(_row(place, say.text(f"comparison.{one.verdict}"), one.before, one.after))
    return [*lines, ""]


def _run_part(records: Records, say: Wording) -> Lines:
    run, text = records.run, say.text
    ended = f"{_clock(run.ended)} UTC, {text('runs.exit')} {run.exit_code}" if run.ended else text("missing.end")
    yield f"# {text('evidence.heading', run=run.run_id)}"
    yield ""
    yield f"- {text('runs.day')} (JST): {run.day}"
    yield f"- {text('runs.started')}: {_clock(run.started)}"
    yield f"- {text('runs.ended')}: {ended}"
    yield f"- {text('runs.reader')}: {run.instance or text('site.none')}"
    yield f"- {text('runs.package')}: kagemusha {run.package or '–'}"
    yield ""
    since, until = _clock(records.period.since), _clock(records.period.until)
    yield text("evidence.period", since=since, until=until)
    yield ""


def _answers_part(answers: Sequence[Answer], say: Wording) -> Lines:
    text = say.text
    yield f"## {text('evidence.requirements')}"
    yield ""
    yield from _head([text(f"evidence.{key}") for key in ("requirement", "state", "answer", "record", "gap")])
    for one in answers:
        missing = [f"**{text('evidence.no_record')}:** {say.say(each)}" for each in one.findings.missing]
        told = " ".join([*(say.say(each) for each in one.findings.found), *missing])
        name = f"{number(one, say)} {text(f'requirement.{one.key}.title')}"
        gap = text(f"requirement.{one.key}.gap")
        yield _row(name, text(f"evidence.state_{one.state}"), told, ", ".join(one.sources), gap)
    yield ""


def number(one: Answer, say: Wording) -> str:
    """Returns how a language names a requirement."""
    if one.standard == "pci":
        return f"PCI DSS {one.number}"
    return say.text("evidence.article", number=one.number) if one.number.isdecimal() else one.number


def _left_part(records: Records, say: Wording) -> Lines:
    text = say.text
    yield f"## {text('evidence.left')}"
    yield ""
    names = ("catalog.table", "runs.outcome", "runs.window", "runs.rows", "runs.bytes", "runs.left_out")
    yield from _head([*(text(key) for key in names), f"{text('catalog.contract')} (SHA-256)", "manifest (SHA-256)"])
    for one in records.tables:
        load = one.load
        digests = (load.contract_digest[:16], load.manifest_digest[:16])
        sizes = (_count(load.rows), _count(load.bytes), str(load.quarantined))
        yield _row(load.table, load.outcome, window(load, say), *sizes, *digests)
    yield ""


def window(load: LoadFacts, say: Wording) -> str:
    """Returns the days that a load read."""
    return f"{load.first} – {load.last}" if load.first else say.text("runs.whole")


def _key_part(records: Records, say: Wording) -> Lines:
    text, used = say.text, records.keys_used
    yield f"## {text('evidence.keys')}"
    yield ""
    versions = [text("evidence.version_kcv", version=version, kcv=kcv) for version, kcv in sorted(used.items())]
    yield text("evidence.keys_used", versions=", ".join(versions) or text("site.none"))
    yield ""
    yield from _head([text(f"evidence.key_{key}") for key in ("version", "event", "kcv", "when")])
    for one in records.key_events:
        if str(one.version) in used:
            yield _row(str(one.version), say.say(event_said(one.event)), one.kcv, _clock(one.happened_at))
    yield ""


def _people_part(records: Records, say: Wording) -> Lines:
    text = say.text
    yield f"## {text('evidence.people')}"
    yield ""
    if records.looks is None:
        yield f"- {text('evidence.looks')}: {text('evidence.no_looks')}"
    for look in records.looks or ():
        told = f"{look.user} · {look.domain} · {look.count:,} · {look.purpose}"
        kind = text("evidence.made" if look.makes else "evidence.looks")
        yield f"- {kind}: {_clock(look.at)} · {told}"
    for waiver in records.waivers:
        event, what = say.say(event_said(waiver.event)), f"{waiver.table} · {waiver.expectation}"
        told = f"{event} · {waiver.waived_by} · {what} · {waiver.reason}"
        yield f"- {text('evidence.waivers')}: {_clock(waiver.at)} · {told}"
    for erasure in records.erasures:
        did = f"{text(f'catalog.erasure_{erasure.rule}')} · {say.say(event_said(erasure.event))}"
        told = f"{erasure.asked_by} · {erasure.table} · {did} · {erasure.changed:,} · {erasure.purpose}"
        yield f"- {text('evidence.erasures')}: {_clock(erasure.at)} · {told}"
    for one in records.access:
        members = text("missing.dataset", dataset=one.dataset) if one.members is None else _members(one.members)
        yield f"- {text('evidence.access')}: {one.dataset}: {members}"
    yield ""


def _members(members: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{member} ({role})" for role, member in members)


def _table_part(proof: TableProof, say: Wording) -> Lines:
    text, contract = say.text, proof.ran.contract
    yield f"## {text('evidence.protected', table=proof.load.table)}"
    yield ""
    if proof.ran.proof != "proven":
        yield f"**{text(f'evidence.proof_{proof.ran.proof}')}**"
        yield ""
    if contract is None:
        return
    flow = text("evidence.from_to", source=f"`{contract.source}`", publish=f"`{contract.publish}`")
    yield f"{flow} {say.of(contract.about)}"
    yield ""
    keys = ("catalog.column", "catalog.what", "catalog.happened", "evidence.reversible", "evidence.clause")
    yield from _head([text(key) for key in keys])
    for name, column in contract.columns.items():
        shown = f"{column.publish_as} ({name})" if column.publish_as else name
        yield _row(shown, column.column_class.value, used(column, say), back(column, say), clause(column, say))
    yield ""


def used(column: Column, say: Wording) -> str:
    """Returns what left of a column: its mask's name, with its domain."""
    domain = getattr(column.mask, "domain", None)
    if column.dropped:
        return say.text("evidence.nothing_left")
    return say.text("evidence.in_domain", mask=column.mask.strategy, domain=domain) if domain else column.mask.strategy


def clause(column: Column, say: Wording) -> str:
    """Returns the requirement behind a column's policy, as a language names laws."""
    return say.text("clause." + column.column_class.value) if column.column_class != ColumnClass.NONE else ""


def back(column: Column, say: Wording) -> str:
    """Returns how a published value leads back to the source's."""
    return say.text(f"evidence.back_{'key' if column.mask.reversible else 'is' if column.kept else 'no'}")


def _audit_part(records: Records, say: Wording) -> Lines:
    text = say.text
    yield f"## {text('evidence.audit')}"
    yield ""
    keys = ("catalog.table", "runs.checks", "runs.passed", "runs.blocking", "runs.warning", "evidence.waivers")
    yield from _head([text(key) for key in keys])
    loads = [one.load for one in records.tables]
    for load in loads:
        failed = load.failed_checks
        blocking = sum(one.severity == "blocking" for one in failed)
        waived = sum(bool(one.waived_by) for one in failed)
        counts = (len(load.checks), len(load.checks) - len(failed), blocking, len(failed) - blocking, waived)
        yield _row(load.table, *map(str, counts))
    yield ""
    for load in loads:
        for one in load.failed_checks:
            of = "" if one.failed is None else f": {text('runs.of', failed=one.failed, checked=one.checked or 0)}"
            by = f", {text('runs.waived', by=one.waived_by)}" if one.waived_by else ""
            meant = " ".join(say.say(each) for each in one.expected)
            yield f"- {load.table}: {one.name}{of}, {text(f'runs.{one.severity}')}{by} – {meant}"


def _head(names: Sequence[str]) -> list[str]:
    return [_row(*names), f"|{'---|' * len(names)}"]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '¦') for cell in cells)} |"


def _clock(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
