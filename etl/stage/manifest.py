"""A table's manifest next to its staged files: all that auditing and publishing them again needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from etl.clock import now
from etl.cloud.storage import ObjectMissing, StagingBucket, StagingLocation, staging_bucket
from etl.errors import NOT_PUBLISHED, STOPPED, TRANSIENT
from etl.plan import TablePlan, mask_plan
from etl.stage.quarantine import Quarantine, QuarantinedRow
from etl.stage.signature import signature_holds, signed
from etl.stage.source_totals import SourceTotals
from etl.stage.staged import Staged, StagedFile
from masking.errors import CONTRACT_MUST_CHANGE, KagemushaError
from masking.keyring import Keyring
from schemas.business_days import Window
from schemas.contract import Contract


def changed_files(staged: Staged, target: StagingLocation) -> int:
    """Returns how many files of the manifest are missing in storage, or are not what the workers wrote.

    Raises:
        StorageUnavailable: storage did not answer.
    """
    return changed_objects(staged.files, f"{target.prefix}/{staged.run_id}/{staged.plan.table}/", target)


def changed_objects(files: Sequence[StagedFile], folder: str, target: StagingLocation) -> int:
    """Returns how many files are not what storage holds in a folder: by name, size, checksum and generation."""
    stored = {(one.name, one.bytes, one.crc32c, one.generation) for one in staging_bucket(target).stored(folder)}
    return sum((file.name, file.bytes, file.crc32c, file.generation) not in stored for file in files)


_FORMAT: Final = 2
_NAME: Final = "manifest.json"


class StageGone(KagemushaError):
    """There is no staged table to audit or publish, or not the one that was asked for."""

    exit_code: ClassVar[int] = CONTRACT_MUST_CHANGE
    advice = "Run the table again; staged files are kept for [stage].keep_days."


class StageForged(KagemushaError):
    """A manifest is not what a run signed, or not what the ledger knows: nobody can tell who wrote it."""

    exit_code: ClassVar[int] = STOPPED
    advice = (
        "Somebody else wrote it, or the keyring is another one; find out who writes to the staging bucket, and run the "
        "table again."
    )


class StageChanged(KagemushaError):
    """Somebody else replaced, cut or removed staged files."""

    advice = "Run again; if it repeats, find out who else writes to the staging bucket."
    exit_code: ClassVar[int] = TRANSIENT


@dataclass(frozen=True)
class Manifest:
    """A signed stage: what was staged, and the source's totals as they were counted then.

    Attributes:
        staged_at: when it was signed; the object's own time says only when somebody last wrote it.
        signature: in hexadecimal, under the key version; see `signature.py`.
    """

    staged: Staged
    totals: SourceTotals
    contract_digest: str
    staged_at: datetime
    key_version: int
    signature: str


def write_manifest(staged: Staged, totals: SourceTotals, stage: StagingBucket, keys: Keyring) -> Manifest:
    """Signs what was staged, writes it next to the staged files, and returns it; names, counts, sums, digests only.

    Raises:
        StorageUnavailable: it was not taken.
    """
    staged_at = now()
    content = signed({**_content(staged, totals), "staged_at": staged_at.isoformat()}, keys)
    text = json.dumps(content, ensure_ascii=False, indent=1)
    stage.write(manifest_name(stage, staged.run_id, staged.plan.table), text.encode(), "application/json")
    digest = staged.plan.contract.digest
    return Manifest(
        staged=staged,
        totals=totals,
        contract_digest=digest,
        staged_at=staged_at,
        key_version=content["key_version"],
        signature=content["signature"],
    )


def _content(staged: Staged, totals: SourceTotals) -> dict[str, object]:
    plan = staged.plan
    return {
        "format": _FORMAT,
        "run_id": staged.run_id,
        "table": plan.table,
        "day": plan.mask.day.isoformat(),
        "window": [plan.window.first.isoformat(), plan.window.last.isoformat()] if plan.window else None,
        "contract_digest": plan.contract.digest,
        "manifest_digest": staged.digest,
        "rows": staged.rows,
        "bytes": staged.bytes,
        "files": [asdict(file) for file in staged.files],
        "sums": staged.sums,
        "totals": {"rows": totals.rows, "sums": totals.sums},
        "nulled": staged.nulled,
        "quarantine": {
            "rows": [{"key": row.key, "reasons": row.reasons} for row in staged.quarantine.rows],
            "sums": staged.quarantine.sums,
        },
        "key_checks": {str(version): kcv for version, kcv in staged.key_checks.items()},
        "seconds": staged.seconds,
        "peak_mib": staged.peak_mib,
    }


def staged_tables(run_id: str, stage: StagingBucket) -> tuple[str, ...]:
    """Returns the tables of a run that have a manifest, in alphabetical order."""
    folder = f"{stage.target.prefix}/{run_id}/"
    places = [one.name.removeprefix(folder).split("/") for one in stage.stored(folder)]
    return tuple(sorted(place[0] for place in places if place[1:] == [_NAME]))


def read_manifest(run_id: str, contract: Contract, stage: StagingBucket, keys: Keyring) -> Manifest:
    """Returns the stage of one table of a run, as the run signed it.

    Raises:
        StageGone: there is no manifest, or it is damaged or of another format.
        StageForged: it is not what was signed, or was signed for another run or table.
        StorageUnavailable: storage did not give it.
    """
    where = {"run": run_id, "table": contract.table}
    content = b""
    missing = False
    try:
        content = stage.read(manifest_name(stage, run_id, contract.table))
    except ObjectMissing:
        missing = True
    if missing:
        raise StageGone("The run has no staged files of this table.", not_done=NOT_PUBLISHED, where=where)
    raw = _readable(content)
    if raw is not None and not (signature_holds(raw, keys) and (raw["run_id"], raw["table"]) == (*where.values(),)):
        raise StageForged("The manifest is not what this run signed.", not_done=NOT_PUBLISHED, where=where)
    manifest = None
    with suppress(ValueError, KeyError, TypeError, ArithmeticError):
        manifest = _manifest(raw or {}, contract)
    if manifest is None:
        raise StageGone("The manifest is damaged or of another version.", not_done=NOT_PUBLISHED, where=where)
    return manifest


def _readable(content: bytes) -> dict[str, Any] | None:  # Any: JSON
    """Returns a manifest of this format; None where it is none, whatever somebody wrote there."""
    with suppress(ValueError, RecursionError):
        raw = json.loads(content)
        if isinstance(raw, dict) and raw.get("format") == _FORMAT:
            return raw
    return None


def manifest_name(stage: StagingBucket, run_id: str, table: str) -> str:
    """Returns the object name of a table's manifest."""
    return f"{stage.target.prefix}/{run_id}/{table}/{_NAME}"


def _manifest(raw: Mapping[str, Any], contract: Contract) -> Manifest:  # Any: JSON
    window = Window(*map(date.fromisoformat, raw["window"])) if raw["window"] else None
    rule = mask_plan(contract, date.fromisoformat(raw["day"]))
    rows = tuple(QuarantinedRow(tuple(row["key"]), row["reasons"]) for row in raw["quarantine"]["rows"])
    files = tuple(StagedFile(**file) for file in raw["files"])
    staged = Staged(
        plan=TablePlan(contract, window, rule, (), raw["rows"]),
        run_id=raw["run_id"],
        files=tuple(
            replace(file, partition=date.fromisoformat(str(file.partition)) if file.partition else None)
            for file in files
        ),
        sums=_decimals(raw["sums"]),
        nulled=raw["nulled"],
        quarantine=Quarantine(rows, _decimals(raw["quarantine"]["sums"])),
        key_checks={int(version): kcv for version, kcv in raw["key_checks"].items()},
        seconds=raw["seconds"],
        peak_mib=raw["peak_mib"],
    )
    if staged.digest != raw["manifest_digest"]:
        raise ValueError("the digest is another one")
    totals = SourceTotals(raw["totals"]["rows"], _decimals(raw["totals"]["sums"]))
    return Manifest(
        staged=staged,
        totals=totals,
        contract_digest=raw["contract_digest"],
        staged_at=datetime.fromisoformat(raw["staged_at"]),
        key_version=raw["key_version"],
        signature=raw["signature"],
    )


def _decimals(sums: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(total) for name, total in sums.items()}
