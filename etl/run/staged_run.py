"""The gate with memory: what a run staged and did not publish is audited again, waived, and published later."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from etl.audit.auditor import examine
from etl.audit.data_docs import write_index, write_page
from etl.audit.references import gather_references
from etl.audit.verdict import References, Verdict, approve
from etl.audit.waivers import Waiver, WaiverRefused, proven_waivers, signed, store
from etl.clock import now
from etl.cloud.bigquery.warehouse import Warehouse
from etl.cloud.storage.bucket import StagingBucket, StagingLocation
from etl.errors import NOT_PUBLISHED, PublishRefused
from etl.keys.keyrings import open_keyring
from etl.ledger.leases import LeaseProof, leased
from etl.ledger.ledger import Ledger
from etl.ledger.loads import load_history
from etl.publish.published import Published
from etl.publish.publisher import publish
from etl.run.ledger_rows import table_row
from etl.run.results import audited_result, published_result
from etl.run.superseded import refuse_superseded
from etl.settings import Settings
from etl.stage.manifest import Manifest, StageGone, read_manifest, staged_tables
from etl.stage.staged import Staged
from expectations.suite import BUNDLED as SUITES
from masking.keyring import KeyRef, Keyring
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts
from schemas.loads import FullLoad, PartitionLoad, SnapshotLoad

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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
    """

    def __init__(self, settings: Settings, contracts: Path = CONTRACTS, suites: Path = SUITES) -> None:
        self.settings = settings
        self.suites = suites
        self.contracts: Mapping[str, Contract] = load_contracts(contracts)
        self.target = StagingLocation.of(settings)
        self.stage = StagingBucket(self.target)
        self.warehouse = Warehouse.of(settings)

    @cached_property
    def spark(self) -> SparkSession:
        """The session whose workers read staged files; started when it is first needed."""
        from etl.spark import spark_session  # noqa: PLC0415  Spark takes seconds to start

        return spark_session()

    @cached_property
    def keys(self) -> Keyring:
        """The keyring that signs and proves waivers."""
        return open_keyring(KeyRef(self.settings.keyring.ref))

    def manifests(self, run_id: str, tables: Sequence[str] = ()) -> dict[str, Manifest]:
        """Returns the stages of a run, of all its tables or those named.

        Raises:
            StageGone: a table has none, or no contract.
        """
        chosen = tuple(tables) or staged_tables(run_id, self.stage)
        unknown = [name for name in chosen if name not in self.contracts]
        if unknown or not chosen:
            what = f"There is no contract for {', '.join(unknown)}." if unknown else "The run has no staged files."
            raise StageGone(what, not_done=NOT_PUBLISHED, where={"run": run_id})
        return {name: read_manifest(run_id, self.contracts[name], self.stage) for name in chosen}

    def audit(self, run_id: str, tables: Sequence[str] = (), docs: Path | None = None) -> tuple[list[Audited], str]:
        """Audits staged tables again, with the source's totals of their run; Aurora is not asked.

        Gives what was found, waivers counted in, and the URI of the Data Docs.

        Raises:
            StageGone: a stage is missing, or was made by another contract.
            WaiverRefused: a waiver is not what was signed.
        """
        manifests = self.manifests(run_id, tables)
        for manifest in manifests.values():
            _refuse_other_contract(manifest)
        around = self._surroundings(run_id, manifests)
        audited = []
        for name, manifest in manifests.items():
            verdict = self._examined(manifest, around[name])
            write_page(manifest.staged, verdict, self.stage, docs)
            audited.append(Audited(manifest.staged, verdict))
        results = [audited_result(one.staged.plan.table, one.verdict) for one in audited]
        return audited, write_index(run_id, results, self.stage, docs)

    def publish(self, run_id: str, table: str, say: Callable[[str], None]) -> Published:
        """Publishes a stage whose audit passes now; a failure that a signed waiver names may pass.

        Raises:
            AuditFailed: the audit stops the table still.
            PublishRefused: a newer run has published the table's window, or the run is published already.
            StageGone: the stage is missing, or was made by another contract.
        """
        (manifest,) = self.manifests(run_id, [table]).values()
        _refuse_other_contract(manifest)
        staged, limits, ledger = manifest.staged, self.settings.limits, Ledger(self.warehouse)
        _refuse_mode(staged.plan.contract)
        ledger.ensure()
        refuse_superseded(staged, self.stage, ledger)
        holder, name = f"publish-{run_id}-{secrets.token_hex(3)}", staged.plan.contract.publish
        with leased(ledger, holder, [name], limits.lease_seconds, limits.lease_wait_seconds) as leases:
            return self._publish(manifest, leases.of(name), ledger, say)

    def _publish(self, manifest: Manifest, lease: LeaseProof, ledger: Ledger, say: Callable[[str], None]) -> Published:
        started, staged = time.monotonic(), manifest.staged
        table, run_id = staged.plan.table, staged.run_id
        refuse_superseded(staged, self.stage, ledger)
        waivers = proven_waivers(staged, self.stage, self.keys)
        say("audit")
        around = self._surroundings(run_id, {table: manifest})[table]
        verdict = examine(self.spark, staged, manifest.totals, self.target, self.suites, around)
        approved = approve(staged, verdict, waivers)
        write_page(staged, approved.verdict, self.stage)
        say("publish")
        published = publish(approved, lease, self.warehouse, self.target)
        used = {one.check.digest for one in approved.verdict.results if one.waived_by}
        for waiver in waivers:
            if waiver.expectation_digest in used:
                record_waiver(ledger, waiver, "used")
        result = published_result(approved, published, time.monotonic() - started)
        row = table_row(run_id, staged.plan.mask.day, result, staged, approved.verdict)
        ledger.append("table_loads", [row])
        self._report(row, waivers, used)
        return published

    def waive(self, run_id: str, table: str, expectation: str, reason: str, by: str) -> Waiver:
        """Signs that one blocking failure of a staged table may pass once, and records it.

        Raises:
            WaiverRefused: no such check failed, or it cannot be waived.
            StageGone: the stage is missing, or was made by another contract.
        """
        (manifest,) = self.manifests(run_id, [table]).values()
        _refuse_other_contract(manifest)
        ledger = Ledger(self.warehouse)
        ledger.ensure()
        refuse_superseded(manifest.staged, self.stage, ledger)
        around = self._surroundings(run_id, {table: manifest})[table]
        verdict = examine(self.spark, manifest.staged, manifest.totals, self.target, self.suites, around)
        found = [one for one in verdict.results if expectation in {one.check.name, one.check.expect}]
        failing = [one for one in found if not one.passed]
        if len(failing) > 1 or not found:
            known = ", ".join(one.check.name for one in verdict.blocking) or "none"
            raise WaiverRefused(
                f"{len(failing)} failed checks are called {expectation}.",
                not_done="Nothing was waived.",
                advice=f"Name one of those that block, with its columns: {known}.",
                where={"table": table, "run": run_id},
            )
        waiver = signed(manifest.staged, (failing or found)[0], reason, by, self.keys)
        record_waiver(ledger, waiver, "signed")
        store(waiver, self.stage)
        return waiver

    def _examined(self, manifest: Manifest, around: References) -> Verdict:
        """Returns the verdict with the failures that proven waivers let pass marked so."""
        verdict = examine(self.spark, manifest.staged, manifest.totals, self.target, self.suites, around)
        waivers = () if verdict.blocking == () else proven_waivers(manifest.staged, self.stage, self.keys)
        return verdict.with_waivers(manifest.staged, waivers)

    def _surroundings(self, run_id: str, manifests: Mapping[str, Manifest]) -> dict[str, References]:
        days = {manifest.staged.plan.mask.day for manifest in manifests.values()}
        day = max(days)
        history = load_history(self.warehouse, manifests, day)
        here = set(staged_tables(run_id, self.stage))
        found = {}
        for name, manifest in manifests.items():
            staged = manifest.staged
            joined = {target.split(".")[0] for target in staged.plan.contract.joins.values()} & here
            others = {
                one: (manifests.get(one) or read_manifest(run_id, self.contracts[one], self.stage)).staged
                for one in joined & set(self.contracts)
            }
            whole = {one: other for one, other in others.items() if self._all_there(other)}
            found[name] = gather_references(staged, day, self.contracts, whole, history, self.warehouse)
        return found

    def _all_there(self, staged: Staged) -> bool:
        """Whether a joined table's staged files can still be read."""
        stored = {one.name for one in self.stage.stored(f"{self.target.prefix}/{staged.run_id}/{staged.plan.table}/")}
        return stored >= {file.name for file in staged.files}

    def _report(self, row: Mapping[str, object], waivers: Sequence[Waiver], used: set[str]) -> None:
        """Leaves a report of the later publishing beside the manifest; it stays like that of the run."""
        passed = [asdict(one) for one in waivers if one.expectation_digest in used]
        name = f"{self.target.prefix}/{row['run_id']}/{row['table_name']}/report.json"
        text = json.dumps({**row, "waivers": passed}, ensure_ascii=False, indent=2, default=str)
        self.stage.write(name, text.encode(), "application/json")


def record_waiver(ledger: Ledger, waiver: Waiver, event: str) -> None:
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


def _refuse_mode(contract: Contract) -> None:
    if not isinstance(contract.load, FullLoad | PartitionLoad | SnapshotLoad):
        raise PublishRefused(
            f"A table of mode {contract.load.mode} is merged into what stands, so only its own run publishes it.",
            not_done=NOT_PUBLISHED,
            advice="Run the table again: it reads the same changes and more.",
            where={"table": contract.table},
        )
