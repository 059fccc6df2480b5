"""The gate with memory: what a run staged and did not publish is audited again, waived, and published later."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from etl.audit import (
    Auditor,
    References,
    Verdict,
    Waiver,
    WaiverRefused,
    approve,
    proven_waivers,
    references_of_staged,
    refuse_superseded,
    refuse_unknown,
    sign_waiver,
    store_waiver,
    write_index,
    write_page,
)
from etl.clock import now
from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.installation import Installation
from etl.ledger import LeaseProof, Ledger, signed_row
from etl.publish import Published, Publisher, holding
from etl.run.record.ledger_rows import table_row
from etl.run.record.results import audited_result, published_result
from etl.settings import Settings
from etl.stage import Manifest, Staged, StageGone, read_manifest, staged_tables
from expectations.checks import CheckResult
from expectations.suite import BUNDLED as SUITES
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts
from schemas.loads import FullLoad, PartitionLoad, SnapshotLoad


@dataclass(frozen=True)
class Audited:
    """One staged table that was audited again."""

    staged: Staged
    verdict: Verdict


class StagedRun:
    """The staged tables of earlier runs.

    Args:
        settings: of the installation.
        contracts: the folder of the contracts.
        suites: the folder of the suites.

    Raises:
        KagemushaError: a contract is wrong, or the installation cannot be used.
    """

    def __init__(self, settings: Settings, contracts: Path = CONTRACTS, suites: Path = SUITES) -> None:
        self.contracts: Mapping[str, Contract] = load_contracts(contracts)
        self.installation = Installation.open(settings)
        self._suites = suites

    @cached_property
    def _auditor(self) -> Auditor:
        """Made when it is first needed: Spark starts only when nothing is left to refuse."""
        from etl.spark import spark_session  # noqa: PLC0415  Spark takes seconds to start

        return Auditor(spark_session(), self.installation.location, self._suites)

    def audit(self, run_id: str, tables: Sequence[str] = (), docs: Path | None = None) -> tuple[list[Audited], str]:
        """Audits staged tables again, with the source's totals of their run; Aurora is not asked.

        Returns what was found, waivers counted in, and the URI of the Data Docs.

        Raises:
            StageGone: a stage is missing, or was made by another contract.
            WaiverRefused: a waiver is not what was signed.
        """
        manifests, bucket = self._manifests(run_id, tables), self.installation.bucket
        references = self._references(run_id, manifests)
        audited = []
        for name, manifest in manifests.items():
            verdict = self._examine(manifest, references[name])
            waivers = proven_waivers(manifest.staged, bucket, self.installation.keys) if verdict.blocking else ()
            audited.append(Audited(manifest.staged, verdict.with_waivers(manifest.staged, waivers)))
            write_page(manifest.staged, audited[-1].verdict, bucket, docs)
        results = [audited_result(one.staged.plan.table, one.verdict) for one in audited]
        return audited, write_index(run_id, results, bucket, docs)

    def publish(self, run_id: str, table: str, say: Callable[[str], None]) -> Published:
        """Publishes a stage whose audit passes now; a failure that a signed waiver names may pass.

        Raises:
            AuditFailed: the audit stops the table still.
            PublishRefused: a newer run has published the table's window, or the run is published already.
            StageGone: the stage is missing, or was made by another contract or under another key version.
        """
        manifest, installation = self._manifest(run_id, table), self.installation
        _refuse_other_key(manifest, installation.keys.primary)
        _refuse_mode(manifest.staged.plan.contract)
        refuse_superseded(manifest, installation.ledger)
        holder = f"publish-{run_id}-{secrets.token_hex(3)}"
        contract, limits = manifest.staged.plan.contract, installation.settings.limits
        with holding(installation.ledger, holder, [contract], limits) as leases:
            return self._publish(manifest, leases.of(contract.publish), say)

    def waive(self, run_id: str, table: str, expectation: str, reason: str, by: str) -> Waiver:
        """Signs that one blocking failure of a staged table may pass once, and records it.

        Raises:
            WaiverRefused: no such check failed, or it cannot be waived.
            StageGone: the stage is missing, or was made by another contract.
        """
        manifest, installation = self._manifest(run_id, table), self.installation
        refuse_superseded(manifest, installation.ledger)
        verdict = self._examine_one(manifest)
        failed = _failed_check(manifest.staged, verdict, expectation)
        waiver = sign_waiver(manifest.staged, failed, reason, by, installation.keys)
        _record_waiver(installation.ledger, waiver, "signed")
        store_waiver(waiver, installation.bucket)
        return waiver

    def _publish(self, manifest: Manifest, lease: LeaseProof, say: Callable[[str], None]) -> Published:
        started, staged, installation = time.monotonic(), manifest.staged, self.installation
        refuse_superseded(manifest, installation.ledger)  # once more, now that nobody else can
        installation.refuse_rotated()
        waivers = proven_waivers(staged, installation.bucket, installation.keys)
        say("audit")
        approved = approve(staged, self._examine_one(manifest), waivers)
        write_page(staged, approved.verdict, installation.bucket)
        say("publish")
        published = Publisher(installation.warehouse, installation.location).publish(approved, lease)
        used = _used(waivers, approved.verdict)
        for waiver in used:
            _record_waiver(installation.ledger, waiver, "used")
        result = published_result(approved, published, time.monotonic() - started)
        row = signed_row(
            table_row(staged.run_id, staged.plan.mask.day, result, staged, approved.verdict), installation.keys
        )
        installation.ledger.append("table_loads", [row])
        self._write_report(row, used)
        return published

    def _examine_one(self, manifest: Manifest) -> Verdict:
        run_id, table = manifest.staged.run_id, manifest.staged.plan.table
        return self._examine(manifest, self._references(run_id, {table: manifest})[table])

    def _examine(self, manifest: Manifest, references: References) -> Verdict:
        return self._auditor.examine(manifest.staged, manifest.totals, references)

    def _references(self, run_id: str, manifests: Mapping[str, Manifest]) -> dict[str, References]:
        installation = self.installation
        return references_of_staged(
            installation.bucket, installation.warehouse, installation.keys, self.contracts, run_id, manifests
        )

    def _manifest(self, run_id: str, table: str) -> Manifest:
        return self._manifests(run_id, [table])[table]

    def _manifests(self, run_id: str, tables: Sequence[str]) -> dict[str, Manifest]:
        """Returns the stages of a run, of all its tables or those named.

        Raises:
            StageGone: a table has none, or no contract, or was staged under another one.
            StageForged: a manifest is not what the run signed, or not what the ledger knows of it.
        """
        bucket = self.installation.bucket
        chosen = tuple(tables) or staged_tables(run_id, bucket)
        unknown = [name for name in chosen if name not in self.contracts]
        if unknown or not chosen:
            what = f"There is no contract for {', '.join(unknown)}." if unknown else "The run has no staged files."
            raise StageGone(what, not_done=NOT_PUBLISHED, where={"run": run_id})
        keys = self.installation.keys
        manifests = {name: read_manifest(run_id, self.contracts[name], bucket, keys) for name in chosen}
        refuse_unknown(manifests.values(), run_id, self.installation.ledger)
        for manifest in manifests.values():
            _refuse_other_contract(manifest)
        return manifests

    def _write_report(self, row: Mapping[str, object], used: Sequence[Waiver]) -> None:
        """Leaves a report of the later publishing beside the manifest; that of the run stays as it is."""
        bucket = self.installation.bucket
        name = f"{bucket.target.prefix}/{row['run_id']}/{row['table_name']}/report.json"
        report = {**row, "waivers": [asdict(waiver) for waiver in used]}
        text = json.dumps(report, ensure_ascii=False, indent=2, default=str)
        bucket.write(name, text.encode(), "application/json")


def _used(waivers: Sequence[Waiver], verdict: Verdict) -> list[Waiver]:
    """Returns the waivers without which the table would have been stopped."""
    waived = {one.check.digest for one in verdict.results if one.waived_by}
    return [waiver for waiver in waivers if waiver.expectation_digest in waived]


def _failed_check(staged: Staged, verdict: Verdict, expectation: str) -> CheckResult:
    """Returns the one failed check of a name; where none failed, a check that passed, which cannot be waived.

    Raises:
        WaiverRefused: no check, or more than one failed, is called so.
    """
    found = [one for one in verdict.results if expectation in {one.check.name, one.check.expect}]
    failing = [one for one in found if not one.passed]
    if len(failing) > 1 or not found:
        known = ", ".join(one.check.name for one in verdict.blocking) or "none"
        raise WaiverRefused(
            f"{len(failing)} failed checks are called {expectation}.",
            not_done="Nothing was waived.",
            advice=f"Name one of those that block, with its columns: {known}.",
            where={"table": staged.plan.table, "run": staged.run_id},
        )
    return (failing or found)[0]


def _record_waiver(ledger: Ledger, waiver: Waiver, event: str) -> None:
    """Writes into the ledger that a waiver was signed or used."""
    row = {**asdict(waiver), "table_name": waiver.table, "waived_by": waiver.by, "signed_at": waiver.at}
    ledger.append("waivers", [{**row, "event": event, "at": now()}])


def _refuse_other_contract(manifest: Manifest) -> None:
    plan = manifest.staged.plan
    if manifest.contract_digest != plan.contract.digest:
        raise StageGone(
            "The table was staged under another contract than it has now.",
            not_done=NOT_PUBLISHED,
            advice="Run the table again, or go back to the contract of that run.",
            where={"table": plan.table, "run": manifest.staged.run_id},
        )


def _refuse_other_key(manifest: Manifest, primary: int) -> None:
    """Refuses tokens of a version that is not in use any more: no token map leads from them to those that stand."""
    others = sorted(set(manifest.staged.key_checks) - {primary})
    if others:
        raise StageGone(
            f"The table was staged under key version {others[0]}, and version {primary} is in use.",
            not_done=NOT_PUBLISHED,
            advice="Run the table again.",
            where={"table": manifest.staged.plan.table, "run": manifest.staged.run_id},
        )


def _refuse_mode(contract: Contract) -> None:
    if not isinstance(contract.load, FullLoad | PartitionLoad | SnapshotLoad):
        raise PublishRefused(
            f"A table of mode {contract.load.mode} is merged into what stands, so only its own run publishes it.",
            not_done=NOT_PUBLISHED,
            advice="Run the table again: it reads the same changes and more.",
            where={"table": contract.table},
        )
