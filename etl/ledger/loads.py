"""What the ledger proves of earlier loads: where a merge goes on, which days are done, how large loads were."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from etl.cloud.bigquery import Warehouse
from etl.ledger.ledger import Ledger
from etl.ledger.outcomes import PUBLISHED
from etl.ledger.signed_rows import SIGNED, row_is_signed
from expectations.volume import LoadSize
from masking.keyring import Keyring
from schemas.business_days import Window
from schemas.contract import Contract
from schemas.loads import MergeLoad

_SIGNED: Final = ", ".join(f"`{name}`" for name in SIGNED)
RECENT: Final = "`at` >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 400 DAY)"
"""What a run reads of the ledger: BigQuery looks into these days' partitions only, however long the ledger is."""
_CLOCKS_APART: Final = timedelta(minutes=1)
"""How far our clock, which dates the ledger's rows, may lie behind BigQuery's, which dates tables."""


def proven_since(warehouse: Warehouse, contract: Contract) -> datetime | None:
    """Returns from when on loads prove what the published table holds; None where there is no table.

    A table that was made anew since a load, under the same name, has none of its rows.
    """
    found = warehouse.find_table(contract.publish)
    made: datetime | None = found.created if found else None
    return made - _CLOCKS_APART if made else None


def done_days(warehouse: Warehouse, contract: Contract, keys: Keyring) -> frozenset[date]:
    """Returns the business days that the ledger proves published under the present contract and primary key version.

    A row that is not what a run signed proves nothing, nor does one from before the table was made.
    """
    since = proven_since(warehouse, contract)
    if since is None:
        return frozenset()
    primary = keys.version(keys.primary)
    ledger = Ledger(warehouse)
    sql = (
        f"SELECT {_SIGNED} FROM `{ledger.table_id('table_loads')}` "
        "WHERE table_name = @name AND outcome IN UNNEST(@outcomes) AND window_first IS NOT NULL "
        "AND contract_digest = @digest AND `at` >= @since"
    )
    rows = ledger.read(sql, name=contract.table, outcomes=tuple(PUBLISHED), digest=contract.digest, since=since)
    found: set[date] = set()
    for row in (row for row in rows if row_is_signed(dict(row.items()), keys)):
        used = json.loads(row["key_checks"] or "{}")
        if all(pair == (str(primary.version), primary.kcv) for pair in used.items()):
            found |= set(Window(row["window_first"], row["window_last"]).days)
    return frozenset(found)


def modifications_today(warehouse: Warehouse, contract: Contract) -> int:
    """Returns how often loads have changed the table in the last 24 hours."""
    ledger = Ledger(warehouse)
    sql = (
        f"SELECT SUM(partitions) AS changed FROM `{ledger.table_id('table_loads')}` "
        "WHERE table_name = @name AND `at` > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 24 HOUR)"
    )
    (row,) = ledger.read(sql, name=contract.table)
    return int(row["changed"] or 0)


@dataclass(frozen=True)
class MergeState:
    """A merge table that further changes can be merged into.

    Attributes:
        watermark: the latest change that is published.
        keys_compared_on: the business day of the last run that read every key.
    """

    watermark: datetime
    keys_compared_on: date


def merge_state(warehouse: Warehouse, contract: Contract, keys: Keyring, origin: str | None) -> MergeState | None:
    """Returns the state from which a merge goes on, or None where the table has to be loaded whole.

    That is so when it is not published yet, or was made anew since its last load, and when its contract or the primary
    key version is another one than that of its rows: a table never holds rows of two contracts, and a row of another
    version would not be found by its key.
    It is also so when the last load read another table than the one of this origin, on another server or made anew: no
    watermark of the one says what changed in the other; when the last load is older than what is `RECENT`; and when a
    row that this would follow from is not what a run signed.

    Args:
        warehouse: where it is published.
        contract: of the table.
        keys: the keyring.
        origin: what names the source's table among those of all servers; None where there is no such table.
    """
    since = proven_since(warehouse, contract) if isinstance(contract.load, MergeLoad) else None
    if since is None:
        return None
    ledger = Ledger(warehouse)
    merges = (
        f"{_SIGNED} FROM `{ledger.table_id('table_loads')}` WHERE table_name = @name "
        f"AND outcome IN UNNEST(@outcomes) AND watermark IS NOT NULL AND `at` >= @since AND {RECENT}"
    )
    sql = (
        f"(SELECT 'last' AS what, {merges} ORDER BY `at` DESC LIMIT 1) UNION ALL "
        f"(SELECT 'compared' AS what, {merges} AND keys_compared IS NOT NULL ORDER BY day DESC LIMIT 1)"
    )
    rows = ledger.read(sql, name=contract.table, outcomes=tuple(PUBLISHED), since=since)
    loads = {row["what"]: dict(row.items()) for row in rows}
    if "compared" not in loads or not all(row_is_signed(row, keys) for row in loads.values()):
        return None
    last = loads["last"]
    if (last["contract_digest"], last["source_origin"]) != (contract.digest, origin):
        return None
    primary = keys.version(keys.primary)
    used = json.loads(str(last["key_checks"] or "{}"))
    if any((version, kcv) != (str(primary.version), primary.kcv) for version, kcv in used.items()):
        return None
    return MergeState(last["watermark"].astimezone(UTC), loads["compared"]["day"])


History = Mapping[str, tuple[LoadSize, ...]]
"""Table → sizes of its published loads, newest business day first."""
_LOADS_KEPT: Final = 60


def load_history(warehouse: Warehouse, tables: Iterable[str], day: date) -> History:
    """Returns the sizes of the tables' last published loads; a day that was loaded again counts once, `day` too.

    What is older than `RECENT` is asked for those tables only that have no newer load.
    """
    ledger, names = Ledger(warehouse), list(tables)
    recent = _sizes(ledger, names, day, RECENT)
    older = _sizes(ledger, [name for name in names if name not in recent], day, "TRUE")
    return {name: tuple(recent.get(name) or older.get(name) or ()) for name in names}


def _sizes(ledger: Ledger, tables: Sequence[str], day: date, when: str) -> dict[str, list[LoadSize]]:
    sql = (
        "SELECT table_name, `rows`, nulls, partition_rows, day = @day AS again FROM ("
        " SELECT *, ROW_NUMBER() OVER (PARTITION BY table_name ORDER BY day DESC) AS age FROM ("
        "  SELECT table_name, day, `rows`, nulls, partition_rows,"
        "   ROW_NUMBER() OVER (PARTITION BY table_name, day ORDER BY `at` DESC) AS nth"
        f"  FROM `{ledger.table_id('table_loads')}` WHERE {when} AND table_name IN UNNEST(@tables)"
        "  AND outcome IN UNNEST(@outcomes) AND nulls IS NOT NULL"
        f" ) AS once WHERE nth = 1) AS newest WHERE age <= {_LOADS_KEPT} ORDER BY table_name, age"
    )
    rows = ledger.read(sql, tables=list(tables), outcomes=tuple(PUBLISHED), day=day) if tables else []
    sizes: dict[str, list[LoadSize]] = {}
    for row in rows:
        nulls = {name: int(count) for name, count in json.loads(row["nulls"]).items()}
        days = {day: int(count) for day, count in json.loads(row["partition_rows"] or "{}").items()}
        sizes.setdefault(row["table_name"], []).append(LoadSize(int(row["rows"]), nulls, days, row["again"]))
    return sizes
