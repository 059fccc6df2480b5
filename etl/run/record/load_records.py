"""Writes down how the tables of a run ended, each as soon as it has, and with it what proves the load done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from etl.audit import Verdict
from etl.errors import worst
from etl.installation import Installation
from etl.ledger import Leases, Ledger, TableResult, package_version, signed_row
from etl.run.record.ledger_rows import stage_row, table_row
from etl.run.record.results import TableLoad
from etl.run.request import Run, Selection
from etl.stage import Manifest, Staged
from masking.errors import KagemushaError
from masking.keyring import Keyring
from schemas.contract import Contract


@dataclass(frozen=True)
class LoadProof:
    """What a later run needs to prove that a table's load is done; it stands in the table's row of the ledger.

    Attributes:
        basis: a digest of all that decides the load's rows and verdict besides the source's own rows.
        fence: the number under which the run held the table's lease; None where another run held it.
    """

    basis: str
    fence: int | None


@dataclass(frozen=True)
class LoadRecords:
    """The rows of one run in `ops.table_loads`.

    Attributes:
        ledger: where they go.
        keys: the keyring under which they are signed.
        run: the run.
        proofs: table → what lets a later run prove that this load is done.
    """

    ledger: Ledger
    keys: Keyring
    run: Run
    proofs: Mapping[str, LoadProof]

    def record_stage(self, manifest: Manifest) -> None:
        """Writes down what was staged and its signature: only what the ledger knows is published.

        Raises:
            PublishFailed, PublishRefused: the ledger did not take it.
        """
        self.ledger.append_one("stages", stage_row(self.run.day, manifest))

    def record(
        self, result: TableResult, staged: Staged | None, verdict: Verdict | None, *, planned: bool
    ) -> TableLoad:
        """Writes a table's row as soon as it ended, so that a run that is killed later has told of it.

        Args:
            result: how it ended; a ledger that does not take the row makes it a failure.
            staged: the manifest, where staging was reached.
            verdict: what the audit found, where it was reached.
            planned: whether the table could be read at all; otherwise its load proves nothing.
        """
        row = table_row(self.run.run_id, self.run.day, result, staged, verdict)
        if planned:
            row |= asdict(self.proofs[result.table])
        row = signed_row(row, self.keys)
        try:
            self.ledger.append_one("table_loads", row)
        except KagemushaError as error:
            code = worst(result.exit_code, error.exit_code)
            result = replace(result, error=result.error or str(error), exit_code=code)
        return TableLoad(result, row)


def load_proofs(installation: Installation, selection: Selection, run: Run, leases: Leases) -> dict[str, LoadProof]:
    """Returns for each chosen table what proves a load of it to be this very one, and the last."""
    return {
        name: LoadProof(_basis(installation, selection, run, contract), leases.fencing_token(contract.publish))
        for name, contract in selection.chosen.items()
    }


def _basis(installation: Installation, selection: Selection, run: Run, contract: Contract) -> str:
    """Returns a digest of all that decides a load's rows and verdict besides the source's own rows.

    These are the contract, the table's suite, the key version and its check value, the database's URL (which holds no
    password), the version of this package, and the scope where it is not what the contract's mode says of the day.
    """
    suite, scope = selection.suites / f"{contract.table}.yaml", run.scopes.get(contract.table)
    told = {
        "contract": contract.digest,
        "suite": suite.read_text(encoding="utf-8") if suite.is_file() else "",
        "key": [installation.key.version, installation.key.kcv],
        "source": installation.settings.source.url,
        "package": package_version(),
    }
    if scope is not None:
        told["scope"] = [str(scope.window), scope.at_once]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
