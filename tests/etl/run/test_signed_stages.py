"""Who may write the staging bucket, and has no keyring, cannot publish: a stage is signed, and the ledger knows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etl.audit import WaiverRefused
from etl.audit.verdict import AuditFailed
from etl.clock import now
from etl.run.staged_run import StagedRun
from etl.stage import StageForged, StageGone
from etl.stage.signature import signed
from masking.keyring import Keyring
from schemas.contract import Contract
from tests.etl.conftest import Issuer
from tests.etl.run.forged import PLANTED, TEXT, guests, manifest, put, staged_file, token

pytestmark = pytest.mark.stack


def quiet(_: str) -> None:
    """Hears of steps."""


@pytest.fixture
def contract(request: pytest.FixtureRequest) -> Contract:
    """Returns a contract that publishes into a dataset of this test's own."""
    return guests(f"forged_{abs(hash(request.node.name)) % 10**6}")


@pytest.fixture
def gate(issuer: Issuer, contract: Contract, tmp_path: Path) -> StagedRun:
    """Returns the gate over that contract alone."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "guests.yaml").write_text(TEXT.format(dataset=contract.dataset), encoding="utf-8")
    return StagedRun(issuer.settings, folder, tmp_path / "suites")


def published(issuer: Issuer, contract: Contract) -> list[tuple[object, ...]]:
    """Returns what is published; nothing where there is no table."""
    if issuer.warehouse.find_table(contract.publish) is None:
        return []
    return issuer.published(f"SELECT pan, note FROM {contract.publish}")


def test_a_stage_that_only_the_bucket_knows_publishes_nothing(
    issuer: Issuer, gate: StagedRun, contract: Contract
) -> None:
    """A manifest that the keyring signed, but no run wrote down, is refused; so is one that was changed or moved."""
    bucket, keys, run_id = gate.installation.bucket, gate.installation.keys, "20230830-20230830T150000Z-unknown"
    file = staged_file(bucket, contract, run_id, [[token(1)], [None], ["a word"]])
    content = signed(manifest(contract, run_id, [file]), keys)
    put(bucket, content)
    with pytest.raises(StageForged, match="The ledger does not know this stage"):
        gate.publish(run_id, "guests", quiet)
    put(bucket, {**content, "totals": {"rows": 2, "sums": {}}})
    with pytest.raises(StageForged, match="not what this run signed"):
        gate.publish(run_id, "guests", quiet)
    moved = f"{bucket.target.prefix}/another-run/guests/manifest.json"
    bucket.write(moved, json.dumps(content).encode(), "application/json")
    with pytest.raises(StageForged, match="not what this run signed"):
        gate.audit("another-run")
    put(bucket, {**content, "format": 1})
    with pytest.raises(StageGone, match="of another version"):
        gate.publish(run_id, "guests", quiet)
    bucket.write(moved.replace("another-run", run_id), b'{"format": ' + b"[" * 10**5, "application/json")
    with pytest.raises(StageGone, match="of another version"):
        gate.publish(run_id, "guests", quiet)
    assert published(issuer, contract) == []


@pytest.mark.parametrize("where", ["pan", "note"])
def test_the_audit_itself_finds_card_numbers(gate: StagedRun, contract: Contract, where: str) -> None:
    """Even a stage that is signed and known is looked at again: a card number in its bytes stops it, unwaivably."""
    installation, run_id = gate.installation, f"20230830-20230830T150000Z-known-{where}"
    columns = [[token(1)], [PLANTED if where == "pan" else None], [PLANTED if where == "note" else "a word"]]
    file = staged_file(installation.bucket, contract, run_id, columns)
    content = signed(manifest(contract, run_id, [file]), installation.keys)
    put(installation.bucket, content)
    installation.ledger.append("stages", [{**content, "table_name": "guests", "at": now()}])
    check = "card_tokens_fail_luhn" if where == "pan" else "staged_values_hold_no_leak"  # tokens may look like anything
    with pytest.raises(AuditFailed, match=rf"{check}\({where}\): 1 of 1 rows") as stopped:
        gate.publish(run_id, "guests", quiet)
    assert PLANTED not in str(stopped.value)
    with pytest.raises(WaiverRefused, match="cannot be waived"):
        gate.waive(run_id, "guests", check, "it looks fine", "A. Engineer")


@pytest.mark.parametrize("where", ["pan", "note"])
def test_a_forged_manifest_publishes_nothing(issuer: Issuer, gate: StagedRun, contract: Contract, where: str) -> None:
    """A run that never ran: its manifest, files and totals all fit together, and nobody with the keyring signed it."""
    bucket, run_id = gate.installation.bucket, f"20230830-20230830T150000Z-{where}"
    columns = [[token(1)], [PLANTED if where == "pan" else None], [PLANTED if where == "note" else "a word"]]
    put(bucket, manifest(contract, run_id, [staged_file(bucket, contract, run_id, columns)]))
    with pytest.raises(StageForged, match="not what this run signed") as refused:
        gate.publish(run_id, "guests", quiet)
    assert refused.value.exit_code == 1
    assert published(issuer, contract) == []


def test_bucket_and_ledger_without_the_keyring_publish_nothing(
    issuer: Issuer, gate: StagedRun, contract: Contract
) -> None:
    """Whoever can write both still cannot sign: not with a keyring of their own, nor under a version nobody has."""
    bucket, run_id = gate.installation.bucket, "20230830-20230830T150000Z-own"
    file = staged_file(bucket, contract, run_id, [[token(1)], [None], [PLANTED]])
    own = signed(manifest(contract, run_id, [file]), Keyring.create("2023-08-30T00:00:00Z"))
    others = ({"key_version": 99}, {"key_version": "1"}, {"signature": "é" * 64}, {"staged_at": "\ud800"})
    for content in (own, *({**own, **other} for other in others)):
        put(bucket, content)
        row = {"run_id": run_id, "table_name": "guests", "key_version": 1, "at": now()}
        row |= {name: content[name] for name in ("manifest_digest", "signature")}
        gate.installation.ledger.append("stages", [row])
        with pytest.raises(StageForged, match="not what this run signed"):
            gate.publish(run_id, "guests", quiet)
        with pytest.raises(StageForged, match="not what this run signed"):
            gate.audit(run_id)
    assert published(issuer, contract) == []
