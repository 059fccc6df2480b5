"""What `--resume` skips: tables whose load the ledger proves to be done, with nobody having touched them since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from etl.clock import now
from etl.ledger.leases import Leases
from etl.ledger.ledger import Ledger
from etl.ledger.outcomes import LOADED, LoadOutcome
from etl.ledger.results import TableResult
from etl.ledger.rows import package_version
from etl.plan.scope import Scope
from masking.keyring import KeyRef
from schemas.contract import Contract

Load = tuple[TableResult, dict[str, object]]


def basis(contract: Contract, suites: Path, key: KeyRef, source: str, scope: Scope | None = None) -> str:
    """Returns a digest of all that decides a load's rows and verdict besides the source's own rows.

    These are the contract, the table's suite, the key version and its check value, the database's URL (which holds no
    password), the version of this package, and the scope where it is not what the contract's mode says of the day.
    """
    suite = suites / f"{contract.table}.yaml"
    told = {
        "contract": contract.digest,
        "suite": suite.read_text(encoding="utf-8") if suite.is_file() else "",
        "key": [key.version, key.kcv],
        "source": source,
        "package": package_version(),
    }
    if scope is not None:
        told["scope"] = [str(scope.window), scope.at_once]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def already_loaded(
    ledger: Ledger, run_id: str, day: date, contracts: Mapping[str, Contract], bases: Mapping[str, str], leases: Leases
) -> dict[str, Load]:
    """Returns the tables that a resumed run need not load again, and writes down that it did not.

    A load counts when it had the same basis and was the last to hold the table's lease before this run: a run that was
    killed in between may have replaced some of the table's days, and then the table is loaded again.
    """
    sql = (
        f"SELECT table_name, basis, fence, `rows` FROM `{ledger.table_id('table_loads')}` "
        "WHERE day = @day AND `at` >= TIMESTAMP(@day) AND table_name IN UNNEST(@tables) "
        "AND outcome IN UNNEST(@outcomes)"
    )
    found = ledger.read(sql, day=day, tables=list(contracts), outcomes=tuple(LOADED))
    proven = {(row["table_name"], row["basis"], row["fence"]): int(row["rows"] or 0) for row in found}
    done: dict[str, Load] = {}
    for name, contract in contracts.items():
        fence = leases.fencing_token(contract.publish)
        rows = proven.get((name, bases[name], fence - 1)) if fence is not None else None
        if rows is None:
            continue
        result = TableResult(name, LoadOutcome.ALREADY_LOADED, rows=rows)
        row = {
            "run_id": run_id,
            "table_name": name,
            "day": day,
            "outcome": LoadOutcome.ALREADY_LOADED,
            "rows": rows,
            "contract_digest": contract.digest,
            "basis": bases[name],
            "fence": fence,
            "at": now(),
        }
        done[name] = (result, row)
    if done:
        ledger.append("table_loads", [row for _, row in done.values()])
    return done
