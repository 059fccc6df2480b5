"""Which outcome of a load counts where: each place that asks the ledger is asked about a row of each outcome."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

import pytest

from etl.audit import refuse_superseded
from etl.clock import now
from etl.errors import PublishRefused
from etl.ledger import (
    LOADED,
    PUBLISHED,
    REPLACED,
    Ledger,
    LoadOutcome,
    done_days,
    failed,
    failure_kind,
    leased,
    load_history,
    merge_state,
    record_keys,
    signed_row,
)
from etl.ledger.key_events import _noted
from etl.progress import JsonLines
from etl.reports.status import table_status
from etl.reports.verify import _last_load
from etl.run.record.load_records import LoadProof, LoadRecords
from etl.run.request import Run
from etl.run.resume import already_loaded
from etl.settings import Settings
from etl.stage import Manifest, SourceTotals
from masking.errors import KeyUnusable
from masking.examples import example_keyring
from masking.keyring import Keyring
from schemas.business_days import Window
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from tests.etl.staging import plan_of, staged_of

pytestmark = pytest.mark.stack
DAY = date(2023, 8, 30)
_NUMBERS = count(1000)
_BASIS = "basis"


ORIGIN = "postgres 1 1 16385"


@dataclass(frozen=True)
class Books:
    """A ledger, and a table whose rows in it are of one outcome."""

    settings: Settings
    ledger: Ledger
    outcome: str
    number: int = field(default_factory=lambda: next(_NUMBERS))
    at: datetime = field(default_factory=now)

    def contract(self, table: str) -> Contract:
        """Returns a bundled contract under a name of its own, for a table that is published."""
        return load_contracts()[table].model_copy(
            update={"table": f"{table}_{self.number}", "publish": "outcomes.there", "joins": {}}
        )

    def note(self, contract: Contract, signed_by: Keyring | None = None, **columns: object) -> None:
        """Appends a row as the load of a business day writes it."""
        row = {
            "run_id": f"run-{self.number}",
            "table_name": contract.table,
            "day": DAY,
            "outcome": self.outcome,
            "rows": 7,
            "contract_digest": contract.digest,
            "at": self.at,
            **columns,
        }
        self.ledger.append("table_loads", [signed_row(row, signed_by) if signed_by else row])


@pytest.fixture(scope="module", autouse=True)
def there(ledger: Ledger) -> None:
    """Makes the table that all contracts of this module publish."""
    ledger.warehouse.ensure_dataset("outcomes")
    ledger.warehouse.client.query_and_wait("CREATE OR REPLACE TABLE outcomes.there AS SELECT 1 AS n")


def backfill_leaves_the_day_out(books: Books) -> bool:
    """Whether `backfill --resume` takes the day for done."""
    contract, window = books.contract("rewards"), {"window_first": DAY, "window_last": DAY}
    books.note(contract, signed_by=example_keyring(), **window)
    return DAY in done_days(books.ledger.warehouse, contract, example_keyring())


def merge_goes_on(books: Books) -> bool:
    """Whether further changes can be merged after it."""
    contract = books.contract("delinquencies")
    books.note(contract, signed_by=example_keyring(), watermark=now(), source_origin=ORIGIN, keys_compared=7)
    return merge_state(books.ledger.warehouse, contract, example_keyring(), ORIGIN) is not None


def usual_size(books: Books) -> bool:
    """Whether later loads are compared with its size."""
    contract = books.contract("rewards")
    books.note(contract, nulls={"value": 1})
    return bool(load_history(books.ledger.warehouse, [contract.table], DAY + timedelta(days=1))[contract.table])


def verify_compares(books: Books) -> bool:
    """Whether `verify` takes its counts for what BigQuery must hold."""
    contract = books.contract("rewards")
    books.note(contract, window_first=DAY, window_last=DAY, sums={"points": 1})
    return _last_load(books.ledger, contract, DAY) is not None


def status_says_loaded(books: Books) -> bool:
    """Whether `status` says that the table is loaded through its day."""
    contract = books.contract("rewards")
    books.note(contract)
    (found,) = table_status(books.ledger, books.settings, {contract.table: contract})
    assert found.last_outcome == books.outcome
    assert found.last_failure == failure_kind(books.outcome)
    return found.through == DAY


def resume_leaves_it_out(books: Books) -> bool:
    """Whether `--resume` does not load the table again."""
    contract = books.contract("rewards")
    with leased(books.ledger, f"resumed-{books.number}", [contract.publish], 600) as leases:
        fence = leases.fencing_token(contract.publish)
        assert fence is not None
        keys = example_keyring()
        books.note(contract, signed_by=keys, basis=_BASIS, fence=fence - 1)
        records = LoadRecords(books.ledger, keys, Run.begin(DAY, {}), {contract.table: LoadProof(_BASIS, fence)})
        return bool(already_loaded(records, {contract.table: contract}, JsonLines(io.StringIO())))


def staged_is_superseded(books: Books) -> bool:
    """Whether a table that was staged before may not be published any more."""
    contract, window = books.contract("rewards"), Window(DAY, DAY)
    staged = staged_of(plan_of(contract, DAY, window), f"staged-{books.number}")
    manifest = Manifest(
        staged=staged,
        totals=SourceTotals(0, {}),
        contract_digest=contract.digest,
        staged_at=now(),
        key_version=1,
        signature="",
    )
    refuse_superseded(manifest, books.ledger)  # nobody has published it yet
    books.note(contract, window_first=DAY, window_last=DAY, at=now() + timedelta(minutes=1))
    try:
        refuse_superseded(manifest, books.ledger)
    except PublishRefused:
        return True
    return False


def key_is_used(books: Books) -> bool:
    """Whether its key version must stay the key that it was."""
    books.note(books.contract("rewards"), key_checks={books.number: "00000000"})
    return books.number in _noted(books.ledger, ())[1]


PLACES: Mapping[Callable[[Books], bool], frozenset[LoadOutcome]] = {
    backfill_leaves_the_day_out: PUBLISHED,
    merge_goes_on: PUBLISHED,
    usual_size: PUBLISHED,
    verify_compares: PUBLISHED,
    status_says_loaded: LOADED,
    resume_leaves_it_out: LOADED,
    staged_is_superseded: REPLACED,
    key_is_used: REPLACED,
}
OUTCOMES = [
    LoadOutcome.PUBLISHED,
    LoadOutcome.ALREADY_LOADED,
    LoadOutcome.RETOKENIZED,
    LoadOutcome.AUDITED,
    failed("PublishFailed"),
]


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_an_outcome_counts_where_it_should(
    place: Callable[[Books], bool], outcome: str, own_settings: Settings, ledger: Ledger
) -> None:
    """Each place counts the outcomes of its set, as the set's docstring decides, and no other."""
    assert place(Books(own_settings, ledger, outcome)) == (outcome in PLACES[place])


@pytest.mark.parametrize("place", [backfill_leaves_the_day_out, merge_goes_on, resume_leaves_it_out])
def test_a_load_proves_nothing_of_a_table_made_anew(
    place: Callable[[Books], bool], own_settings: Settings, ledger: Ledger
) -> None:
    """Who drops a published table and makes it again has an empty one: nothing is left out, and no merge goes on."""
    before = now() - timedelta(hours=1)
    assert not place(Books(own_settings, ledger, LoadOutcome.PUBLISHED, at=before))


def test_a_load_after_a_retokenization_is_still_described_by_itself(own_settings: Settings, ledger: Ledger) -> None:
    """A later retokenization does not hide a load: `verify`, sizes and a merge still find the row of the load."""
    books = Books(own_settings, ledger, LoadOutcome.PUBLISHED)
    contract = books.contract("delinquencies")
    merged = {"watermark": now(), "source_origin": ORIGIN, "keys_compared": 7, "nulls": {"late_fee": 1}}
    books.note(contract, signed_by=example_keyring(), **merged)
    later = {"outcome": LoadOutcome.RETOKENIZED, "rows": 9, "at": now() + timedelta(minutes=1)}
    books.note(contract, **later, day=None)
    load = _last_load(ledger, contract, DAY)
    assert load is not None
    assert load.rows == 7
    assert [
        size.rows for size in load_history(ledger.warehouse, [contract.table], DAY + timedelta(1))[contract.table]
    ] == [7]
    assert merge_state(ledger.warehouse, contract, example_keyring(), ORIGIN) is not None


def test_what_a_load_of_the_same_day_replaces_is_known(own_settings: Settings, ledger: Ledger) -> None:
    """The last load of the day that is loaded again has its size too, and is told from those of other days."""
    books, day = Books(own_settings, ledger, LoadOutcome.PUBLISHED), DAY + timedelta(days=40)
    contract = books.contract("rewards")
    for rows, loaded in ((5, day - timedelta(days=1)), (6, day), (7, day)):
        books.note(contract, rows=rows, nulls={"value": 1}, day=loaded, at=now() + timedelta(seconds=rows))
    sizes = load_history(ledger.warehouse, [contract.table], day)[contract.table]
    assert [(one.rows, one.again) for one in sizes[:2]] == [(7, True), (5, False)]


def test_loads_of_long_ago_are_read_where_nothing_newer_is_known(own_settings: Settings, ledger: Ledger) -> None:
    """A run looks at late partitions only; a table that was not loaded since still has its size, but is not merged."""
    books, long_ago = Books(own_settings, ledger, LoadOutcome.PUBLISHED), now() - timedelta(days=500)
    sleeping, awake = books.contract("delinquencies"), books.contract("rewards")
    for contract in (sleeping, awake):
        merging = {"watermark": long_ago, "source_origin": ORIGIN, "keys_compared": 7, "nulls": {"late_fee": 1}}
        books.note(contract, signed_by=example_keyring(), at=long_ago, day=DAY - timedelta(days=500), **merging)
    books.note(awake, rows=8, nulls={"value": 1})
    sizes = load_history(ledger.warehouse, [sleeping.table, awake.table, "unknown"], DAY + timedelta(days=1))
    assert {name: [one.rows for one in found] for name, found in sizes.items()} == {
        sleeping.table: [7],
        awake.table: [8],
        "unknown": [],
    }
    assert merge_state(ledger.warehouse, sleeping, example_keyring(), ORIGIN) is None


def test_a_key_is_proven_by_its_recorded_use_and_by_loads_of_long_ago(own_settings: Settings) -> None:
    """A changed key is refused whether its use is an event already, or only a load that is older than what is read."""
    keys, other = example_keyring(), Keyring.create("2023-08-30T00:00:00Z")
    number, kcv = keys.primary, keys.version(keys.primary).kcv
    checks = {"key_checks": {number: kcv}, "at": now() - timedelta(days=500)}
    books = Books(own_settings, Ledger.of(of_dataset(own_settings, "long_ago_ops")), LoadOutcome.PUBLISHED)
    books.note(books.contract("rewards"), **checks)
    with pytest.raises(KeyUnusable):
        record_keys(books.ledger, other, "r1")
    assert number in record_keys(books.ledger, keys, "r2").used
    books.ledger.warehouse.client.query_and_wait(f"DELETE FROM `{books.ledger.table_id('table_loads')}` WHERE TRUE")
    with pytest.raises(KeyUnusable):
        record_keys(books.ledger, other, "r3")


def of_dataset(settings: Settings, dataset: str) -> Settings:
    """Returns the settings with another dataset for the ledger."""
    return settings.model_copy(update={"bigquery": settings.bigquery.model_copy(update={"ops_dataset": dataset})})


@pytest.mark.parametrize("origin", [None, "postgres 1 1 16400", "postgres 1 2 16385", "mysql 1 16385"])
def test_a_watermark_holds_for_one_table_of_one_server(
    own_settings: Settings, ledger: Ledger, origin: str | None
) -> None:
    """A merge does not go on where the table was made anew, or another server, or another engine, answers for it."""
    contract = Books(own_settings, ledger, LoadOutcome.PUBLISHED).contract("delinquencies")
    Books(own_settings, ledger, LoadOutcome.PUBLISHED).note(
        contract, signed_by=example_keyring(), watermark=now(), source_origin=ORIGIN, keys_compared=7
    )
    assert merge_state(ledger.warehouse, contract, example_keyring(), ORIGIN) is not None
    assert merge_state(ledger.warehouse, contract, example_keyring(), origin) is None


def test_a_merge_goes_on_from_signed_rows_only(own_settings: Settings, ledger: Ledger) -> None:
    """A watermark that nobody signed, or that was moved since, loses no change: the table is loaded whole."""
    books, keys = Books(own_settings, ledger, LoadOutcome.PUBLISHED), example_keyring()
    later = now() + timedelta(days=30)
    merged = {"watermark": now(), "source_origin": ORIGIN, "key_checks": {1: keys.version(1).kcv}}
    moved = {"watermark": later, "at": now() + timedelta(minutes=1)}
    for change in ({}, {"keys_compared": 7}, {"day": DAY + timedelta(days=30), "keys_compared": 7}):
        contract = books.contract("delinquencies")
        contract = contract.model_copy(update={"table": f"{contract.table}_{len(change)}"})
        row = {"run_id": "r", "table_name": contract.table, "day": DAY, "outcome": books.outcome, "rows": 7}
        row |= {"contract_digest": contract.digest, "at": now(), **merged, "keys_compared": 7}
        signed = signed_row(row, keys)
        ledger.append("table_loads", [signed])
        found = merge_state(ledger.warehouse, contract, keys, ORIGIN)
        assert found is not None
        assert (found.watermark, found.keys_compared_on) == (merged["watermark"], DAY)
        ledger.append("table_loads", [{**signed, "keys_compared": None, **moved, **change}])
        assert merge_state(ledger.warehouse, contract, keys, ORIGIN) is None


def test_outcomes_are_the_words_of_older_ledgers() -> None:
    """What earlier versions wrote is read on: the words have not changed."""
    assert [*map(str, LoadOutcome)] == ["published", "already loaded", "retokenized", "audited", "failed"]
    assert failed("LeaseHeld") == "failed: LeaseHeld"
    assert failure_kind("failed: LeaseHeld") == "LeaseHeld"
    assert [failure_kind(one) for one in LoadOutcome if one != LoadOutcome.FAILED] == [None] * 4


def test_resume_believes_signed_rows_only(own_settings: Settings, ledger: Ledger) -> None:
    """A row that nobody signed, that another keyring signed, or that was changed since, is no proof of a load."""
    books, keys = Books(own_settings, ledger, LoadOutcome.PUBLISHED), example_keyring()
    contract = books.contract("rewards")
    records = LoadRecords(ledger, keys, Run.begin(DAY, {}), {contract.table: LoadProof(_BASIS, 8)})

    def believed() -> bool:
        return bool(already_loaded(records, {contract.table: contract}, JsonLines(io.StringIO())))

    for signed_by in (None, Keyring.create("2023-08-30T00:00:00Z")):
        books.note(contract, signed_by=signed_by, basis=_BASIS, fence=7)
        assert not believed()
    row = {"run_id": "changed", "table_name": contract.table, "day": DAY, "outcome": books.outcome, "rows": 7}
    row |= {"basis": "another", "fence": 7, "at": now(), "checks": [{"expectation": "e", "passed": False}]}
    signed = signed_row(row, keys)
    ledger.append("table_loads", [{**signed, "basis": _BASIS}, {**signed, "checks": [], "basis": _BASIS}])
    assert not believed()
    ledger.append("table_loads", [signed_row({**row, "basis": _BASIS}, keys)])
    assert believed()
