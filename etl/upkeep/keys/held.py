"""What still holds tokens of a key version: published rows, token maps, staged files, the ledger; counts only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from etl.cloud.bigquery import Warehouse, quoted
from etl.cloud.storage import StagingBucket
from etl.ledger import REPLACED, Ledger
from etl.publish import map_table_name, mapped_domains
from masking.strategies import Pseudonymize, Tokenize
from schemas.contract import Contract

_NOT_DONE = "No key was touched."


@dataclass(frozen=True)
class Held:
    """Something that holds tokens of a key version.

    Attributes:
        place: a published table, a token map, staged files, or a table of the ledger.
        count: how many rows or files.
        what: what is counted.
    """

    place: str
    count: int
    what: str = "rows"

    def __str__(self) -> str:
        return f"{self.place}: {self.count:,} {self.what}"


def held_by(ledger: Ledger, bucket: StagingBucket, contracts: Iterable[Contract], version: int) -> tuple[Held, ...]:
    """Returns all that holds tokens of a version; where nobody can tell, it counts.

    Args:
        ledger: what ran.
        bucket: where files are staged.
        contracts: of all tables.
        version: the key version.
    """
    known = list(contracts)
    places = [held_by_table(ledger, contract, version) for contract in known]
    found = [one for one in places if one] + list(_maps(ledger.warehouse, version))
    found += _without_contract(ledger, [contract.table for contract in known], version)
    files = _staged_files(ledger, bucket, version)
    quarantined = _quarantined(ledger, version)
    found += [Held("staged files", files, "files")] if files else []
    found += [Held("ops.table_loads", quarantined, "rows that name rows in quarantine")] if quarantined else []
    return tuple(found)


def held_by_table(ledger: Ledger, contract: Contract, version: int) -> Held | None:
    """Returns how many rows of a published table hold tokens of a version; None where none do.

    Rows that name no version are judged by the ledger's loads: they count unless the whole table was loaded since.
    """
    keyed = any(column.mask.key_uses() for column in contract.selected.values())
    if not keyed or ledger.warehouse.find_table(contract.publish) is None:
        return None
    naming = [name for name, column in contract.selected.items() if isinstance(column.mask, Tokenize | Pseudonymize)]
    if not naming:
        loads = _loads(ledger, contract, version)
        return Held(contract.publish, loads, "loads, in rows that name no version") if loads else None
    everywhere = f"{quoted(contract.partition_by)} >= DATE '0001-01-01' AND " if contract.partition_by else ""
    tokens = " OR ".join(f"STARTS_WITH({quoted(name)}, 'k{version}_')" for name in naming)
    count = _count(ledger.warehouse, f"`{ledger.warehouse.table_id(contract.publish)}` WHERE {everywhere}({tokens})")
    return Held(contract.publish, count) if count else None


def _without_contract(ledger: Ledger, known: Sequence[str], version: int) -> Iterator[Held]:
    """Yields tables that were loaded under a version, and of which no contract at hand says where they are."""
    sql = (
        f"SELECT table_name, COUNT(*) AS n FROM `{ledger.table_id('table_loads')}` WHERE outcome IN UNNEST(@outcomes) "
        f"AND CONTAINS_SUBSTR(key_checks, '\"{version}\":') GROUP BY table_name ORDER BY table_name"
    )
    for row in ledger.read(sql, outcomes=tuple(REPLACED)):
        if row["table_name"] not in known:
            yield Held(f"{row['table_name']}, of which no contract is here", int(row["n"]), "loads")


def signed_under(ledger: Ledger, version: int) -> int:
    """Returns how many rows of the ledger are signed under a version: without its key nobody can prove them."""
    return sum(
        _count(ledger.warehouse, f"`{ledger.table_id(name)}` WHERE key_version = {version}")
        for name in ("table_loads", "stages", "waivers")
    )


def _maps(warehouse: Warehouse, version: int) -> Iterator[Held]:
    for domain in sorted(mapped_domains(warehouse)):
        name = map_table_name(warehouse, domain)
        of_version = f"version = {version} OR STARTS_WITH(`current`, 'k{version}_')"
        count = _count(warehouse, f"`{warehouse.table_id(name)}` WHERE {of_version}")
        if count:
            yield Held(name, count)


def _staged_files(ledger: Ledger, bucket: StagingBucket, version: int) -> int:
    """Counts staged files of the version's stages, and of stages that the ledger does not know."""
    rows = ledger.read(f"SELECT run_id, table_name, key_version FROM `{ledger.table_id('stages')}`")
    known = {(row["run_id"], row["table_name"].removesuffix("__keys")): row["key_version"] for row in rows}
    prefix = f"{bucket.target.prefix}/"
    files = [one.name for one in bucket.stored(prefix) if one.name.endswith(".parquet")]
    places = [name.removeprefix(prefix).split("/") for name in files]
    stages = [(place[0], place[-2].removesuffix("__keys")) for place in places if len(place) > 1]
    return sum(known.get(stage, version) == version for stage in stages)


def _quarantined(ledger: Ledger, version: int) -> int:
    where = f"quarantined IS NOT NULL AND CONTAINS_SUBSTR(key_checks, '\"{version}\":')"
    return _count(ledger.warehouse, f"`{ledger.table_id('table_loads')}` WHERE {where}")


def _loads(ledger: Ledger, contract: Contract, version: int) -> int:
    """Counts the loads of a table under a version, since it was last loaded whole under another one."""
    sql = (
        f"SELECT key_checks, window_first FROM `{ledger.table_id('table_loads')}` WHERE table_name = @table "
        "AND outcome IN UNNEST(@outcomes) ORDER BY `at` DESC"
    )
    count = 0
    for row in ledger.read(sql, table=contract.table, outcomes=tuple(REPLACED)):
        if f'"{version}":' in (row["key_checks"] or ""):
            count += 1
        elif row["window_first"] is None:
            break
    return count


def _count(warehouse: Warehouse, rows: str) -> int:
    (row,) = warehouse.rows("Tokens could not be counted", f"SELECT COUNT(*) AS n FROM {rows}", not_done=_NOT_DONE)
    return int(row["n"])
