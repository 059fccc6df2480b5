"""The evidence of one run, for whoever asks what left the card environment: Markdown from the ledger and the contracts.

Names, classes, strategies, counts, digests and check values; no value of a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from google.cloud import bigquery

from etl.errors import SettingsInvalid
from etl.ledger import Ledger
from masking.policy import POLICY
from schemas.contract import Contract

Row = bigquery.Row


def evidence(ledger: Ledger, run_id: str, contracts: Mapping[str, Contract]) -> str:
    """Returns the report of a run.

    Columns and masks are those of the contracts at hand; where a table was loaded under another contract, the report
    says so, because then they prove nothing about that run.

    Raises:
        SettingsInvalid: the ledger knows no such run.
    """
    events = _of_run(ledger, "runs", run_id)
    if not events:
        raise SettingsInvalid(
            "The ledger knows no such run.", not_done="No report was written.", advice="`kagemusha runs` lists them."
        )
    loads = sorted(_of_run(ledger, "table_loads", run_id), key=lambda row: row["table_name"])
    checks = _of_run(ledger, "audits", run_id)
    keys = ledger.read(
        f"SELECT version, event, kcv, happened_at, run_id FROM `{ledger.table_id('key_events')}` "
        "ORDER BY version, happened_at"
    )
    parts = (
        _run_part(run_id, events),
        _left_part(loads),
        _key_part(loads, keys),
        *(_table_part(row, contracts.get(row["table_name"])) for row in loads),
        _audit_part(loads, checks),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _of_run(ledger: Ledger, name: str, run_id: str) -> list[Row]:
    return ledger.read(f"SELECT * FROM `{ledger.table_id(name)}` WHERE run_id = @run", run=run_id)


def _run_part(run_id: str, events: Sequence[Row]) -> Iterator[str]:
    by_event = {row["event"]: row for row in events}
    first, end = by_event.get("started", events[0]), by_event.get("ended")
    yield f"# Evidence of run {run_id}"
    yield ""
    yield f"- Business day (JST): {first['day']}"
    yield f"- Started: {first['at']:%Y-%m-%d %H:%M:%S} UTC"
    yield (
        f"- Ended: {end['at']:%Y-%m-%d %H:%M:%S} UTC, exit code {end['exit_code']}" if end else "- Ended: no end known"
    )
    yield f"- Reader that was read: {first['source_instance'] or 'none'}"
    yield f"- Package: kagemusha {first['package_version'] or '(not installed)'}"
    yield ""


def _left_part(loads: Sequence[Row]) -> Iterator[str]:
    yield "## What left the card environment"
    yield ""
    yield "| table | outcome | days | rows | bytes | left out | contract (SHA-256) | manifest (SHA-256) |"
    yield "|---|---|---|---:|---:|---:|---|---|"
    for row in loads:
        days = f"{row['window_first']} to {row['window_last']}" if row["window_first"] else "whole table"
        left_out = len(json.loads(row["quarantined"] or "[]"))
        digests = f"{(row['contract_digest'] or '')[:16]} | {(row['manifest_digest'] or '')[:16]}"
        size = f"{_count(row['rows'])} | {_count(row['bytes'])} | {left_out}"
        yield f"| {row['table_name']} | {row['outcome']} | {days} | {size} | {digests} |"
    yield ""


def _key_part(loads: Sequence[Row], events: Sequence[Row]) -> Iterator[str]:
    used: dict[str, str] = {}
    for row in loads:
        used |= json.loads(row["key_checks"] or "{}")
    yield "## Under which keys"
    yield ""
    versions = ", ".join(f"version {version} (check value {kcv})" for version, kcv in sorted(used.items()))
    yield f"Used by this run: {versions or 'none'}."
    yield ""
    yield "| version | event | check value | when (UTC) |"
    yield "|---:|---|---|---|"
    for row in events:
        if str(row["version"]) in used:
            yield f"| {row['version']} | {row['event']} | {row['kcv']} | {row['happened_at']:%Y-%m-%d %H:%M:%S} |"
    yield ""


def _table_part(row: Row, contract: Contract | None) -> Iterator[str]:
    yield f"## How {row['table_name']} was protected"
    yield ""
    if contract is None:
        yield "There is no contract of this table at hand."
        yield ""
        return
    if row["contract_digest"] and row["contract_digest"] != contract.digest:
        yield "**The contract has changed since this run**: what follows is the contract at hand, not the run's."
        yield ""
    yield f"From `{contract.source}` to `{contract.publish}`. {contract.about}"
    yield ""
    yield "| column | what it is | what left | reversible | clause |"
    yield "|---|---|---|---|---|"
    for name, column in contract.columns.items():
        domain = getattr(column.mask, "domain", None)
        used = f"{column.mask.strategy} (domain {domain})" if domain else column.mask.strategy
        left = "nothing: it is not selected" if column.dropped else used
        back = "with the key" if column.mask.reversible else "as it is" if column.kept else "no"
        clause = POLICY[column.column_class].clause if column.column_class != "none" else ""
        shown = f"{column.publish_as} (at the source: {name})" if column.publish_as else name
        yield f"| {shown} | {column.column_class} | {left} | {back} | {clause} |"
    yield ""


def _audit_part(loads: Sequence[Row], checks: Sequence[Row]) -> Iterator[str]:
    yield "## What the audit found"
    yield ""
    yield "| table | checks | passed | failed, blocking | failed, warning | waived |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in loads:
        mine = [one for one in checks if one["table_name"] == row["table_name"]]
        failed = [one for one in mine if not one["passed"]]
        blocking = sum(one["severity"] == "blocking" for one in failed)
        waived = sum(bool(one["waived_by"]) for one in failed)
        counts = f"{len(mine)} | {len(mine) - len(failed)} | {blocking} | {len(failed) - blocking} | {waived}"
        yield f"| {row['table_name']} | {counts} |"
    yield ""
    for one in checks:
        if not one["passed"]:
            rows = "" if one["failed"] is None else f": {one['failed']} of {one['checked']} rows"
            waived_by = f", waived by {one['waived_by']}" if one["waived_by"] else ""
            columns = f"({one['columns']})" if one["columns"] else ""
            yield f"- {one['table_name']}: {one['expectation']}{columns}{rows}, {one['severity']}{waived_by}"


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
