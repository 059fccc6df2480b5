"""Waivers: a person lets one blocking failure of one table of one run through, once, and signs for it.

The signature is an HMAC-SHA-256 under a key of the keyring, over everything that the waiver names. So only who may use
the keyring can waive, and a waiver is worth nothing for another run, other bytes or another expectation.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import ClassVar, Final

import pyarrow as pa

from etl.clock import now
from etl.cloud.storage import StagingBucket, note_run
from etl.errors import NOT_PUBLISHED, STOPPED
from etl.stage import Staged
from expectations.checks import Check, CheckResult
from masking.errors import KagemushaError, KeyUnusable
from masking.keyring import Keyring
from masking.leaks import MUST_NOT_BE_WRITTEN, count_leaks

_USE: Final = ("audit.waivers", "hmac_sha256", 32)
"""Domain, algorithm and length of the signing key; no contract's domain can have a point in its name."""


class WaiverRefused(KagemushaError):
    """The failure cannot be waived, or the waiver is not what its signature says."""

    exit_code: ClassVar[int] = STOPPED
    advice = "Correct the source, the contract or the suite, and run the table again."


@dataclass(frozen=True)
class Waiver:
    """What a person signed; names, digests and their own words only."""

    run_id: str
    table: str
    expectation: str
    expectation_digest: str
    manifest_digest: str
    reason: str
    by: str
    at: str
    key_version: int
    signature: str = ""

    def lets_through(self, staged: Staged, check: Check) -> bool:
        """Whether it is for this check of these staged bytes."""
        own = (self.run_id, self.table, self.expectation_digest, self.manifest_digest)
        return own == (staged.run_id, staged.plan.table, check.digest, staged.digest)

    @property
    def name(self) -> str:
        """The name of its object next to the staged files."""
        return f"waivers/{self.expectation_digest[:32]}.json"


def sign_waiver(staged: Staged, result: CheckResult, reason: str, by: str, keys: Keyring) -> Waiver:
    """Returns a waiver of a failed blocking check.

    Raises:
        WaiverRefused: the check passed, does not block, or proves that nothing was lost on the way; or what would be
            recorded looks like a card number.
    """
    check, problem = result.check, ""
    if not check.waivable:
        problem = "proves that no row was lost or changed on the way: it cannot be waived"
    elif result.passed:
        problem = "passed: there is nothing to waive"
    elif check.severity != "blocking":
        problem = "is a warning: it stops nothing"
    elif not reason.strip() or not by.strip():
        problem = "is waived by a person for a reason: both must be given"
    elif count_leaks(pa.array([reason, by]), MUST_NOT_BE_WRITTEN):
        problem = "is not waived: reason or name hold what looks like a card number, and they are kept for years"
    if problem:
        raise WaiverRefused(f"{check.name} {problem}.", not_done=NOT_PUBLISHED, where=_place(staged))
    at = now().isoformat(timespec="seconds")
    waiver = Waiver(
        run_id=staged.run_id,
        table=staged.plan.table,
        expectation=check.name,
        expectation_digest=check.digest,
        manifest_digest=staged.digest,
        reason=reason,
        by=by,
        at=at,
        key_version=keys.primary,
    )
    return replace(waiver, signature=_signature(waiver, keys))


def store_waiver(waiver: Waiver, stage: StagingBucket) -> None:
    """Writes a waiver next to the staged files that it is for."""
    note_run(stage, waiver.run_id)  # its files may have expired meanwhile
    content = json.dumps(asdict(waiver), ensure_ascii=False, indent=2).encode()
    stage.write(f"{_folder(stage, waiver.run_id, waiver.table)}{waiver.name}", content, "application/json")


def proven_waivers(staged: Staged, stage: StagingBucket, keys: Keyring) -> tuple[Waiver, ...]:
    """Returns the waivers next to staged files whose signatures hold.

    Raises:
        WaiverRefused: one of them is not what was signed.
    """
    folder = f"{_folder(stage, staged.run_id, staged.plan.table)}waivers/"
    found = [_read(stage.read(one.name)) for one in stage.stored(folder)]
    whole = [one for one in found if one is not None and _holds(one, keys)]
    if len(whole) < len(found):
        raise WaiverRefused(
            f"{len(found) - len(whole)} of {len(found)} waivers are not what was signed.",
            not_done=NOT_PUBLISHED,
            advice="Somebody changed them, or the keyring is another one; remove them and sign again.",
            where=_place(staged),
        )
    return tuple(whole)


def _read(content: bytes) -> Waiver | None:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        return None
    names = {one.name for one in fields(Waiver)}
    typed = isinstance(raw, dict) and set(raw) == names and isinstance(raw["key_version"], int)
    if not typed or not all(isinstance(value, str) for name, value in raw.items() if name != "key_version"):
        return None
    return Waiver(**raw)


def _holds(waiver: Waiver, keys: Keyring) -> bool:
    """Tells whether a waiver is what was signed, under a key version that still can be read."""
    try:
        wanted = _signature(waiver, keys)
    except KeyUnusable:
        return False
    return waiver.signature.isascii() and hmac.compare_digest(waiver.signature, wanted)


def _signature(waiver: Waiver, keys: Keyring) -> str:
    meaning = json.dumps({**asdict(waiver), "signature": ""}, sort_keys=True, ensure_ascii=False)
    key = keys.subkey_for_reading(*_USE, version=waiver.key_version)
    return hmac.new(key, meaning.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _folder(stage: StagingBucket, run_id: str, table: str) -> str:
    return f"{stage.target.prefix}/{run_id}/{table}/"


def _place(staged: Staged) -> dict[str, object]:
    return {"table": staged.plan.table, "run": staged.run_id}
