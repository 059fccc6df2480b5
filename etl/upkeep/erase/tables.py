"""One table of an erasure: how many rows hold the persons, and the statement that the contract's rule asks for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from etl.cloud.bigquery import change, quoted
from etl.ledger import LeaseProof, Ledger
from etl.publish import row_policies
from etl.upkeep.erase.persons import ErasureRefused, TokenColumn
from schemas.contract import Contract
from schemas.erasure import KeepRows
from schemas.loads import MergeLoad, PartitionLoad

Rule = Literal["delete", "nullify", "keep"]

_UNERASED: Final = "Nothing was erased."


@dataclass(frozen=True)
class TableErasure:
    """What an erasure means for one table; counts and names only.

    Attributes:
        found: rows that hold one of the persons.
        changed: rows that were deleted or emptied; 0 in a dry run.
        note: why rows stay, or how they may come back.
    """

    table: str
    rule: Rule
    found: int
    changed: int = 0
    note: str = ""
    job_id: str = ""
    error: str = ""
    exit_code: int = 0


def rule_of(contract: Contract) -> Rule:
    """Returns the contract's rule.

    Raises:
        ErasureRefused: it has none, and nobody has decided what may become of the rows.
    """
    if contract.erasure is None:
        raise ErasureRefused(
            f"The contract of {contract.table} does not say what becomes of a person's rows.",
            not_done=_UNERASED,
            advice="Add `erasure: {rule: delete}`, nullify or keep (with its law) to the contract.",
            where={"table": contract.table},
        )
    return contract.erasure.rule


def refuse_unemptied(contract: Contract, columns: tuple[TokenColumn, ...]) -> None:
    """Refuses to nullify a table whose key names the person: the key would remain.

    Raises:
        ErasureRefused: it is such a table.
    """
    inside = [column.name for column in columns if column.name in contract.key]
    if inside and rule_of(contract) == "nullify":
        raise ErasureRefused(
            f"{contract.table} is to be nullified, but {inside[0]} is a part of its key and would stay.",
            not_done=_UNERASED,
            advice="Use `erasure: {rule: delete}`.",
            where={"table": contract.table},
        )


def rows_found(ledger: Ledger, contract: Contract, columns: tuple[TokenColumn, ...]) -> int:
    """Returns how many rows hold one of the persons.

    Raises:
        PublishRefused: row access policies hide rows from this account, so it could not say that there are none.
    """
    row_policies(ledger.warehouse, contract)
    table = ledger.warehouse.table_id(contract.publish)
    sql = f"SELECT COUNT(*) AS n FROM `{table}` WHERE {_persons(contract, columns)}"
    (row,) = ledger.warehouse.rows("A person's rows could not be counted", sql, not_done=_UNERASED, **_tokens(columns))
    return int(row["n"])


def erase_rows(
    ledger: Ledger, erasure_id: str, contract: Contract, columns: tuple[TokenColumn, ...], lease: LeaseProof
) -> tuple[int, str]:
    """Deletes or nullifies the persons' rows in one statement; gives how many, and the statement's job.

    Raises:
        LeaseHeld: a run publishes the table now.
        PublishFailed, PublishRefused: BigQuery failed or refused the statement; no row was changed.
    """
    table, rule = ledger.warehouse.table_id(contract.publish), rule_of(contract)
    emptied = ", ".join(f"{quoted(column)} = NULL" for column in contract.personal)
    verb = f"DELETE FROM `{table}`" if rule == "delete" else f"UPDATE `{table}` SET {emptied}"
    digest = hashlib.sha256(f"{erasure_id} {contract.publish} {rule}".encode()).hexdigest()[:16]
    job_id = f"kagemusha_forget_{contract.table}_{digest}"
    lease.prove()
    sql = f"{verb} WHERE {_persons(contract, columns)}"
    what = f"{contract.table} could not be erased"
    return change(ledger.warehouse, what, sql, job_id=job_id, **_tokens(columns)), job_id


def note_of(contract: Contract) -> str:
    """Says why rows stay, or when a load would bring them back."""
    if isinstance(contract.erasure, KeepRows):
        return contract.erasure.why
    if isinstance(contract.load, PartitionLoad):
        days = contract.load.lookback_days + 1
        return f"comes back if one of its last {days} days, or a backfill, is loaded while the source has the person"
    if isinstance(contract.load, MergeLoad):
        return "comes back when the source's row changes, and is missed when keys are compared, while the source has it"
    return "comes back with the next load while the source has the person"


def _persons(contract: Contract, columns: tuple[TokenColumn, ...]) -> str:
    """Returns SQL for: the row holds one of the persons. A table may demand that its partitions be named."""
    everywhere = f"{quoted(contract.partition_by)} >= DATE '0001-01-01' AND " if contract.partition_by else ""
    return f"{everywhere}({' OR '.join(f'{quoted(one.name)} IN UNNEST(@t{at})' for at, one in enumerate(columns))})"


def _tokens(columns: tuple[TokenColumn, ...]) -> dict[str, list[str]]:
    return {f"t{at}": list(column.tokens) for at, column in enumerate(columns)}
