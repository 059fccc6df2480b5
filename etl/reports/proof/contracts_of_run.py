"""The contracts under which a run worked, kept beside its staged files, and proven by the digests in the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from etl.cloud.storage import ObjectMissing, StagingBucket
from etl.reports.facts.runs import LoadFacts
from schemas.contract import Contract
from schemas.words import ALL_LANGUAGES

_FORMAT: Final = 1
Proof = Literal["proven", "changed", "unproven", "none"]


@dataclass(frozen=True)
class RanUnder:
    """The contract of a table of a run, and whether the ledger proves that it is the one that ran.

    Attributes:
        proof: proven: its digest is the ledger's; changed: the ledger has another; unproven: it has none; none: there
            is no contract.
    """

    contract: Contract | None
    proof: Proof


def keep_contracts(bucket: StagingBucket, run_id: str, contracts: Mapping[str, Contract]) -> None:
    """Writes the contracts that a run knows next to its staged files, where they stay when those expire.

    Raises:
        StorageUnavailable: they were not taken.
    """
    said = {
        name: one.model_dump(mode="json", by_alias=True, context=ALL_LANGUAGES, exclude_unset=True)
        for name, one in contracts.items()
    }
    content = json.dumps({"format": _FORMAT, "contracts": said}, ensure_ascii=False).encode()
    bucket.write(_name(bucket, run_id), content, "application/json")


def kept_contracts(bucket: StagingBucket, run_id: str) -> dict[str, Contract]:
    """Returns the contracts that a run kept; none where nothing was kept, or not in this format.

    Raises:
        StorageUnavailable: storage did not give them.
    """
    content = b""
    with suppress(ObjectMissing):
        content = bucket.read(_name(bucket, run_id))
    return _read(content) if content else {}


def ran_under(load: LoadFacts, kept: Mapping[str, Contract], at_hand: Mapping[str, Contract]) -> RanUnder:
    """Returns the contract of a load: the one that its run kept, else the one at hand; the ledger's digest decides."""
    found = [one for one in (kept.get(load.table), at_hand.get(load.table)) if one is not None]
    if not found:
        return RanUnder(None, "none")
    if not load.contract_digest:
        return RanUnder(found[0], "unproven")
    same = next((one for one in found if one.digest == load.contract_digest), None)
    return RanUnder(same, "proven") if same else RanUnder(found[0], "changed")


def _name(bucket: StagingBucket, run_id: str) -> str:
    return f"{bucket.target.prefix}/{run_id}/contracts.json"


def _read(content: bytes) -> dict[str, Contract]:
    raw: Any = None  # Any: JSON
    with suppress(ValueError):
        raw = json.loads(content)
    if not isinstance(raw, dict) or raw.get("format") != _FORMAT:
        return {}
    found = {}
    for name, one in raw["contracts"].items():
        with suppress(ValidationError):  # of another version of this package
            found[str(name)] = Contract.model_validate(one)
    return found
