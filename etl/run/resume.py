"""What `--resume` skips: tables whose load the ledger proves to be done, with nobody having touched them since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from etl.clock import now
from etl.ledger import LOADED, SIGNED, LoadOutcome, TableResult, proven_since, row_is_signed, signed_row
from etl.progress import Progress
from etl.run.record.load_records import LoadRecords
from etl.run.record.results import TableLoad
from schemas.contract import Contract


@dataclass(frozen=True)
class _Load:
    """A load that is done: how many rows it brought, and when it was written down."""

    rows: int
    at: datetime


def already_loaded(records: LoadRecords, contracts: Mapping[str, Contract], progress: Progress) -> dict[str, TableLoad]:
    """Returns the tables that a resumed run need not load again, and writes down that it did not.

    A load counts when it had the same basis and was the last to hold the table's lease before this run: a run that was
    killed in between may have replaced some of the table's days, and then the table is loaded again. A row that is not
    what a run signed proves nothing, nor does one from before the published table was made.
    """
    loads = _loads_by_proof(records, contracts)
    done: dict[str, TableLoad] = {}
    for name, contract in contracts.items():
        proof = records.proofs[name]
        load = None if proof.fence is None else loads.get((name, proof.basis, proof.fence - 1))
        if load is not None and _still_there(records, contract, load.at):
            result = TableResult(name, LoadOutcome.ALREADY_LOADED, rows=load.rows)
            done[name] = TableLoad(result, signed_row(_skipped_row(records, contract, load.rows), records.keys))
    if done:
        records.ledger.append("table_loads", [load.row for load in done.values()])
    for name in done:
        progress.say(name, LoadOutcome.ALREADY_LOADED)
    return done


def _still_there(records: LoadRecords, contract: Contract, at: datetime) -> bool:
    """Tells whether the published table is still the one into which was loaded then."""
    since = proven_since(records.ledger.warehouse, contract)
    return since is not None and at >= since


def _loads_by_proof(
    records: LoadRecords, contracts: Mapping[str, Contract]
) -> dict[tuple[str, str | None, int | None], _Load]:
    """Returns how many rows the day's loads brought that are done, and when, by table, basis and fencing number."""
    sql = (
        f"SELECT {', '.join(f'`{name}`' for name in SIGNED)}, `at` FROM `{records.ledger.table_id('table_loads')}` "
        "WHERE day = @day AND `at` >= TIMESTAMP(@day) AND table_name IN UNNEST(@tables) "
        "AND outcome IN UNNEST(@outcomes)"
    )
    found = records.ledger.read(sql, day=records.run.day, tables=list(contracts), outcomes=tuple(LOADED))
    signed = [row for row in found if row_is_signed(dict(row.items()), records.keys)]
    return {(row["table_name"], row["basis"], row["fence"]): _Load(int(row["rows"] or 0), row["at"]) for row in signed}


def _skipped_row(records: LoadRecords, contract: Contract, rows: int) -> dict[str, object]:
    """Returns the row of a table that was not loaded again."""
    return {
        "run_id": records.run.run_id,
        "table_name": contract.table,
        "day": records.run.day,
        "outcome": LoadOutcome.ALREADY_LOADED,
        "rows": rows,
        "contract_digest": contract.digest,
        **asdict(records.proofs[contract.table]),
        "at": now(),
    }
