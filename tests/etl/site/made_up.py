"""Facts of an installation that does not exist: bundled contracts, runs of a made-up ledger, made-up groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from google.cloud import bigquery

from etl.reports.facts.catalog import Catalog, catalog
from etl.reports.facts.expected import expected
from etl.reports.facts.installation import Facts
from etl.reports.facts.runs import CheckFacts, LoadFacts, RunFacts
from etl.reports.proof.comparison import compare
from etl.reports.proof.contracts_of_run import RanUnder
from etl.reports.proof.evidence import Evidence
from etl.reports.proof.looks import ErasureFacts, KeyEventFacts, LookFacts, Period, WaiverFacts
from etl.reports.proof.records import AccessFacts, Records, TableProof
from etl.reports.proof.requirements import answers
from etl.reports.status import TableStatus
from etl.settings import Settings
from etl.site.boards import Board
from etl.site.pages import Site
from etl.site.pictures import Groups
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from schemas.pictures import Picture, load_pictures
from schemas.view_file import FOLDER, load_views

BUNDLED: Final = load_contracts()
DAY: Final = date(2023, 8, 31)
_BEGAN: Final = datetime(2023, 8, 31, 18, 0, tzinfo=UTC)
_CHECKS: Final = (
    "staged_values_hold_no_leak",
    "card_tokens_fail_luhn",
    "staged_files_equal_manifest",
    "sum_equals_source",
)
SETTINGS: Final = Settings.model_validate(
    {
        "source": {"url": "postgresql://etl@127.0.0.1/issuer"},
        "stage": {"bucket": "a-bucket"},
        "bigquery": {"project": "a-project"},
        "keyring": {"ref": "file:nowhere"},
    }
)


def many(tables: int) -> dict[str, Contract]:
    """Returns so many contracts: the bundled ones, again and again under other names."""
    found = dict(BUNDLED)
    for number in range(len(found), tables):
        name, one = list(BUNDLED.items())[number % len(BUNDLED)]
        copied = f"{name}_{number}"
        found[copied] = one.model_copy(update={"table": copied, "publish": f"{one.dataset}.{copied}"})
    return dict(list(found.items())[:tables])


def check(name: str, arguments: Mapping[str, object] | None = None, *, passed: bool = True) -> CheckFacts:
    """Returns a check of an audit."""
    columns = str((arguments or {}).get("column", ""))
    return CheckFacts(
        name=f"{name}({columns})" if columns else name,
        expected=expected(name, arguments or {"column": "updated_at"}),
        severity="blocking" if passed else "warning",
        origin="reconciliation",
        passed=passed,
        failed=None if passed else 1,
        checked=None if passed else 10,
        error="",
        waived_by="",
    )


def checks(contract: Contract, number: int) -> list[CheckFacts]:
    """Returns the checks of an audit: those of every table, two for each column, one that may not hold."""
    codes: dict[str, object] = {"value_set": ["active", "<b>&", "withdrawn"]}
    late: dict[str, object] = {"column": "updated_at", "hours": 24.0}
    found = [
        check("newest_row_is_fresh", late, passed=(number + len(contract.table)) % 9 > 0),
        *(check(name) for name in _CHECKS),
    ]
    for name in contract.published[:10]:
        found.append(check("expect_column_values_to_not_be_null", {"column": name}))
        found.append(check("expect_column_values_to_be_in_set", {"column": name, **codes}))
    return found


def load(run_id: str, contract: Contract, number: int, *, last: bool) -> LoadFacts:
    """Returns a published load of a table; of its last one all checks are known, of others those that did not hold."""
    found = checks(contract, number)
    failed = [one for one in found if not one.passed]
    return LoadFacts(
        run_id=run_id,
        table=contract.table,
        day=DAY,
        at=_BEGAN,
        first=DAY if contract.partition_by else None,
        last=DAY if contract.partition_by else None,
        outcome="published",
        error="",
        rows=1000 + 17 * number,
        bytes=50_000 + number,
        partitions=1,
        deleted=0,
        quarantined=number % 2,
        seconds=1.5 + number % 5,
        peak_mib=200,
        steps={"stage": 0.6, "audit": 0.4},
        nulls={name: 10 * place + number for place, name in enumerate(contract.published[:5])},
        contract_digest=contract.digest,
        manifest_digest="ab" * 32,
        key_checks={"1": "1bf6efd7"},
        signed=True,
        audited=len(found),
        held=len(found) - len(failed),
        checks=tuple(found if last else failed),
    )


def runs(contracts: Mapping[str, Contract], count: int) -> tuple[RunFacts, ...]:
    """Returns the last nights, the latest first."""
    found = []
    for number in range(count):
        began = _BEGAN - timedelta(days=number)
        run_id = f"{DAY - timedelta(days=number):%Y%m%d}-made-up"
        found.append(
            RunFacts(
                run_id=run_id,
                day=DAY - timedelta(days=number),
                started=began,
                ended=began + timedelta(minutes=9),
                state="ended",
                exit_code=0,
                seconds=540.0,
                instance="issuer-reader-2",
                snapshot="00000003-1",
                package="0.1.0",
                loads=tuple(load(run_id, one, count - number, last=not number) for one in contracts.values()),
            )
        )
    return tuple(found)


def records(run: RunFacts, contracts: Mapping[str, Contract]) -> Records:
    """Returns whole records of a run: nothing is missing."""
    return Records(
        run=run,
        before="20230830-made-up",
        period=Period(run.started - timedelta(days=1), run.started),
        tables=tuple(TableProof(one, RanUnder(contracts[one.table], "proven")) for one in run.loads),
        contracts=contracts,
        key_events=(
            KeyEventFacts(1, "created", "1bf6efd7", _BEGAN, run.run_id),
            KeyEventFacts(1, "first used", "1bf6efd7", _BEGAN, run.run_id),
        ),
        waivers=(
            WaiverFacts(run.run_id, "clubs", "signed", "newest_row_is_fresh(updated_at)", "審査済み", "管理者", _BEGAN),
        ),
        erasures=(
            ErasureFacts(
                erasure_id="e-1",
                asked_by="officer@host",
                purpose="請求 7",
                persons=1,
                table="members",
                rule="nullify",
                event="incomplete",
                found=2,
                changed=1,
                at=_BEGAN,
            ),
        ),
        looks=(
            LookFacts(_BEGAN, "an-officer", "card", "事案 2023-0815", 3),
            LookFacts(_BEGAN, "the-app", "member", "GA4", 40, makes=True),
        ),
        access=(AccessFacts("issuing", (("READER", "analysts@issuer.example"),)),),
        location="asia-northeast1",
    )


def evidence(run: RunFacts, contracts: Mapping[str, Contract], /, **changed: object) -> Evidence:
    """Returns the evidence of a run, with some of its records otherwise."""
    found = replace(records(run, contracts), **changed)  # type: ignore[arg-type]
    return Evidence(found, answers(found))


def described(contracts: Mapping[str, Contract], settings: Settings = SETTINGS) -> Catalog:
    """Returns the catalog of contracts, all loaded through the day."""
    statuses = {name: status(one) for name, one in contracts.items()}
    views = load_views()
    schemas = {one.name: [bigquery.SchemaField(name, "STRING") for name in one.columns] for one in views}
    return catalog(settings, contracts, views, statuses, schemas)


def status(contract: Contract) -> TableStatus:
    """Returns how a table stands that was loaded last night."""
    return TableStatus(
        table=contract.table,
        publish=contract.publish,
        through=DAY,
        lag_days=0,
        rows=1_234_567,
        table_bytes=3 * 2**30,
        staged_bytes=2**20,
        usd_month=0.07,
        last_run="20230831-made-up",
        last_outcome="published",
        last_at=_BEGAN,
        last_failure=None,
        last_failure_at=None,
        last_failure_run=None,
    )


def groups(picture: Picture) -> Groups:
    """Returns made-up groups for a picture."""
    across = [f"2023-0{month}" for month in range(1, 8)] if picture.x else ["–"]
    apart = ["approved", "declined"] if picture.by else list(picture.measures)
    values = {
        (x, one): 120.0 + 13 * place + 40 * number for number, x in enumerate(across) for place, one in enumerate(apart)
    }
    scale = 1000 if picture.percent else 1
    return Groups({key: value / scale for key, value in values.items()}, small=2)


def site(tables: int = len(BUNDLED), nights: int = 5, settings: Settings = SETTINGS) -> Site:
    """Returns what a site is made of."""
    contracts = many(tables)
    past = runs(contracts, nights)
    proof, earlier = (evidence(run, contracts) for run in past[:2])
    found = Facts(_BEGAN, "0.1.0", described(contracts, settings), past, proof, compare(earlier, proof))
    pictures = load_pictures(FOLDER)
    boards = {name: Board(name, pictures[name], groups(pictures[name])) for name in found.catalog.views}
    return Site(found, boards, "en", least=10)
