"""One published table's tokens are renewed: read back, staged, audited and published like a daily load.

What the table held before is what its totals must equal afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from etl.audit import Approved, Auditor
from etl.clock import now
from etl.cloud.bigquery import Warehouse
from etl.errors import NOT_PUBLISHED, PublishFailed
from etl.keys import open_keyring
from etl.ledger import Leases, Ledger, LoadOutcome, check_rows, signed_row
from etl.progress import Progress
from etl.publish import Published, Publisher, published_totals
from etl.source import Slice
from etl.upkeep.retokenize.old_rows import OldRows, any_of
from etl.upkeep.retokenize.restager import Restager
from etl.workers import failure_of
from masking.errors import KagemushaError
from schemas.contract import Contract
from schemas.domains import one_way_columns

DAYS_AT_ONCE: Final = 31
"""Business days that are audited and published together: a try that is broken off keeps what it has done."""


@dataclass(frozen=True)
class TableRetokenized:
    """How one table ended; `one_way` are its columns that stay under the version they were masked with."""

    table: str
    rows: int = 0
    partitions: int = 0
    seconds: float = 0.0
    one_way: tuple[str, ...] = ()
    error: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class TableRetokenizer:
    """Renews the tables of one retokenization, one after the other.

    Attributes:
        restager: reads published rows back and stages them anew.
        auditor: examines what was staged.
        publisher: publishes what was approved.
        ledger: where each part of a table is written down.
        leases: prove before publishing that no other run publishes the table.
        progress: hears of every step.
    """

    restager: Restager
    auditor: Auditor
    publisher: Publisher
    ledger: Ledger
    leases: Leases
    progress: Progress

    def retokenize(self, old: OldRows) -> TableRetokenized:
        """Renews one table; an error becomes its result, and what is not renewed stays as it was."""
        started = time.monotonic()
        table, one_way = old.contract.table, one_way_columns(old.contract)
        rows = partitions = 0
        held = self.leases.refusal(old.contract.publish)
        try:
            if held is not None:
                raise held
            for slices in _in_turn(old.slices):
                published = self._renew(old.contract, slices)
                rows, partitions = rows + published.rows, partitions + published.partitions
        except KagemushaError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  its message could quote a value: only its type is kept
            failure = failure_of(error, NOT_PUBLISHED)
        else:
            self.progress.say(table, "published", rows=rows, partitions=partitions)
            return TableRetokenized(table, rows, partitions, time.monotonic() - started, one_way)
        text, code = str(failure.at(table=table)), failure.exit_code
        self.progress.say(table, "failed", error=text, exit_code=code)
        return TableRetokenized(
            table, rows, partitions, time.monotonic() - started, one_way, error=text, exit_code=code
        )

    def _renew(self, contract: Contract, slices: tuple[Slice, ...]) -> Published:
        """Renews some business days of a table, or the whole of one without days."""
        started, warehouse = time.monotonic(), self.restager.warehouse
        before = _changed_at(warehouse, contract)
        self.progress.say(contract.table, "stage", slices=len(slices))
        staged = self.restager.stage_table(contract, slices)
        self.progress.say(contract.table, "audit", rows=staged.rows, bytes=staged.bytes)
        approved = self.auditor.audit(staged, published_totals(warehouse, contract, any_of(slices)))
        if _changed_at(warehouse, contract) != before:
            raise PublishFailed("Another run changed the table meanwhile.", not_done=NOT_PUBLISHED, advice="Run again.")
        published = self.publisher.publish(approved, self.leases.of(contract.publish))
        row = _ledger_row(approved, slices, published, time.monotonic() - started)
        row = signed_row({**row, "fence": self.leases.fencing_token(contract.publish)}, open_keyring(self.restager.key))
        self.ledger.append("table_loads", [row])
        return published


def _in_turn(slices: Sequence[Slice]) -> Iterator[tuple[Slice, ...]]:
    for begin in range(0, len(slices), DAYS_AT_ONCE):
        yield tuple(slices[begin : begin + DAYS_AT_ONCE])


def _changed_at(warehouse: Warehouse, contract: Contract) -> object:
    """Returns when the table was last written, as BigQuery says."""
    found = warehouse.find_table(contract.publish)
    return found.modified if found else None


def _ledger_row(approved: Approved, slices: Sequence[Slice], published: Published, seconds: float) -> dict[str, object]:
    staged, verdict = approved.staged, approved.verdict
    return {
        "run_id": staged.run_id,
        "table_name": staged.plan.table,
        "outcome": LoadOutcome.RETOKENIZED,
        "window_first": slices[0].partition,
        "window_last": slices[-1].partition,
        "rows": staged.rows,
        "bytes": staged.bytes,
        "partitions": published.partitions,
        "sums": staged.sums,
        "contract_digest": staged.plan.contract.digest,
        "manifest_digest": staged.digest,
        "key_checks": staged.key_checks,
        "job_ids": published.job_ids,
        "expectations": len(verdict.results),
        "expectations_passed": verdict.passed,
        "warnings": [one.line for one in verdict.warnings],
        "checks": check_rows(verdict.results),
        "seconds": seconds,
        "at": now(),
    }
