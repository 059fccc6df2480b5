"""The fence: whoever takes a table over first removes what an earlier holder could still publish it from.

A holder proves its lease after its rows stand beside their destination, and every job that replaces a destination reads
them there: copies take their rows from it, statements name it. So a holder that slept after its proof, for however
long, finds nothing to publish when it wakes, and its job changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from etl.cloud.bigquery import Warehouse
from etl.errors import NO_ROW_READ
from etl.ledger import LeaseProof, Leases, Ledger, leased
from etl.publish.token_versions import tells_version
from etl.settings import LimitSettings
from masking.errors import KagemushaError
from schemas.contract import Contract

BESIDE: Final = "stage_"
"""How the names of tables begin that stand beside their destination."""
_OF_TABLE: Final = r"stage_(?P<table>.+?)(__keys)?_[0-9a-f]{16}"
_OF_MAP: Final = r"stage_token_map_.+"

Job = TypeVar("Job")


@contextmanager
def holding(ledger: Ledger, run_id: str, contracts: Sequence[Contract], limits: LimitSettings) -> Iterator[Leases]:
    """Holds the tables of contracts until the end of the block, with nobody before them left who could publish one.

    Raises:
        LeaseHeld: other runs hold all of them. Where they hold some, `refusal` says which is not ours.
        PublishFailed, PublishRefused: BigQuery did not let us take them over.
    """
    names = [contract.publish for contract in contracts]
    with leased(ledger, run_id, names, limits.lease_seconds, limits.lease_wait_seconds) as leases:
        _fence_off(ledger.warehouse, [one for one in contracts if leases.fencing_token(one.publish) is not None])
        yield leases


def unless_lost(lease: LeaseProof, job: Callable[[], Job]) -> Job:
    """Returns what a job that replaces a destination gives; where it failed because we were fenced off, says so.

    Raises:
        LeaseHeld: somebody else has taken the table over; nothing was changed.
        KagemushaError: it failed for another reason.
    """
    try:
        return job()
    except KagemushaError as error:
        failure = error
    lease.prove(anew=True)
    raise failure


def _fence_off(warehouse: Warehouse, contracts: Sequence[Contract]) -> None:
    """Removes the tables from which earlier holders would publish these, and their token maps.

    A map is made by whoever holds all tables whose rows tell their version: who holds one of them knows that nobody is
    making any.
    """
    tables = {contract.table for contract in contracts}
    maps = any(tells_version(contract) for contract in contracts)
    dataset = warehouse.settings.ops_dataset
    for listed in warehouse.tables("Earlier loads could not be listed", dataset) if contracts else ():
        found = re.fullmatch(_OF_TABLE, listed.table_id)
        if (found and found["table"] in tables) or (maps and re.fullmatch(_OF_MAP, listed.table_id)):
            name = warehouse.table_id(f"{dataset}.{listed.table_id}")
            warehouse.drop_table("An earlier load could not be ended", name, NO_ROW_READ)
