"""Every bundled view on loaded data: its numbers are PostgreSQL's, its grain holds, quiet days are zero."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import isclose
from pathlib import Path
from typing import Any

import psycopg
import pytest
from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse
from etl.keys import open_keyring
from etl.publish import publish_views
from etl.settings import BigQuerySettings, ViewSettings
from masking.keyring import KeyRef
from masking.strategies import KeyedStrategy
from masking.tokens import tokens
from schemas.contract import Contract
from schemas.contract_file import BUNDLED, load_contracts
from schemas.view_file import View, load_views
from tests.etl.conftest import DAY, Issuer, Republish
from tests.etl.publish.second_computation import SECOND, copy_table
from tests.schemas.test_views import GA4_SCHEMA

pytestmark = pytest.mark.stack
SMALLEST = 3
QUIET = DAY - timedelta(days=1)
"""A day whose payments and rewards are taken out of BigQuery, as if nobody had paid."""
LARGE_GROUPS = {"repayment_correlation", "vintage_delinquency"}
"""Views whose groups are all larger than the threshold in what is loaded here."""
EVENTS = "analytics_7"
BUNDLED_VIEWS = {view.name: view for view in load_views()}
BY_DAY = {"daily_gmv": 3, "club_support": 12, "application_funnel": 4, "dunning_effect": 4, "daily_rewards": 3}


@dataclass(frozen=True)
class Questions:
    """The views of this module's own copies of all tables, and the same tables in PostgreSQL."""

    warehouse: Warehouse
    contracts: dict[str, Contract]
    views: tuple[View, ...]
    postgres: psycopg.Connection[Any]

    def answers(self, name: str) -> list[tuple[Any, ...]]:
        """Returns what a view says, by its grain."""
        rows = self.warehouse.rows("Not read", f"SELECT * FROM vw_looker.{name}")
        return sorted((tuple(row) for row in rows), key=repr)

    def second(self, name: str, smallest: int = SMALLEST) -> list[tuple[Any, ...]]:
        """Returns what PostgreSQL says."""
        return sorted(self.postgres.execute(SECOND[name].format(k=smallest).encode()).fetchall(), key=repr)

    def grain(self, name: str) -> list[tuple[Any, ...]]:
        """Returns the values of a view's grain that more than one row has."""
        columns = ", ".join(BUNDLED_VIEWS[name].grain)
        sql = f"SELECT {columns} FROM vw_looker.{name} GROUP BY {columns} HAVING COUNT(*) > 1"
        return [tuple(row) for row in self.warehouse.rows("Not read", sql)]


def settings(found: BigQuerySettings, smallest: int = SMALLEST) -> BigQuerySettings:
    """Returns settings whose views are this module's own, and show groups from a size on."""
    views = ViewSettings(smallest_group=smallest, ga4_export=f"{found.project}.{EVENTS}")
    changes = {"views_dataset": "vw_looker", "ops_dataset": "vw_ops", "views": views}
    return found.model_copy(update=changes)


@pytest.fixture(scope="module")
def questions(issuer: Issuer, republished: Republish) -> Iterator[Questions]:
    """Yields loaded tables, one day of payments short, with some events of the app; and their copies."""
    folder = republished("vw", *load_contracts())
    (folder / "views").mkdir()
    for path in (BUNDLED / "views").glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\b(issuing|ledger|community|collections)\.(?=[a-z])", r"vw_\1.", text)
        (folder / "views" / path.name).write_text(text, encoding="utf-8")
    changed = settings(issuer.settings.bigquery)
    issuer.load(DAY, contracts=folder, settings=issuer.settings.model_copy(update={"bigquery": changed}))
    warehouse, contracts = Warehouse(changed), load_contracts(folder)
    for table, day in (("vw_ledger.payments", "authorized_on"), ("vw_community.rewards", "granted_on")):
        warehouse.client.query_and_wait(f"DELETE FROM {table} WHERE {day} = '{QUIET}'")
    events = _events(warehouse)
    with psycopg.connect(issuer.ends.primary_url, autocommit=True) as copies:
        for contract in contracts.values():
            rows = warehouse.client.list_rows(warehouse.table_id(contract.publish))
            copy_table(copies, contract, rows.schema, [tuple(row) for row in rows])
        copies.execute("CREATE TEMP TABLE ga4 (day date, platform text, user_id text, session bigint)")
        with copies.cursor() as cursor:
            cursor.executemany("INSERT INTO ga4 VALUES (%s, %s, %s, %s)", events)
        publish_views(warehouse, contracts, load_views(folder / "views"))
        yield Questions(warehouse, contracts, load_views(folder / "views"), copies)


def _events(warehouse: Warehouse) -> list[tuple[date, str, str, int]]:
    """Makes a small export of Google Analytics, and returns its events: day, platform, token, session.

    The first members use the app every day, on one platform or the other; a stranger does too, and an unfinished day is
    there in the export's own way.
    """
    tokens = [row["member_id"] for row in warehouse.rows("Not read", "SELECT member_id FROM vw_issuing.members")]
    warehouse.client.create_dataset(EVENTS)
    made = []
    for day in (DAY - timedelta(days=1), DAY):
        for number, token in enumerate([*sorted(tokens)[:40], "k1_stranger"]):
            made += [(day, ("IOS", "ANDROID")[number % 2], token, session) for session in range(1 + number % 3)]
        made += [(day, "WEB", min(tokens), 9)] * 2
    for suffix, chosen in [
        *((f"{day:%Y%m%d}", [one for one in made if one[0] == day]) for day in (DAY - timedelta(days=1), DAY)),
        (f"intraday_{DAY:%Y%m%d}", made[:5]),
    ]:
        table = bigquery.Table(f"{warehouse.settings.project}.{EVENTS}.events_{suffix}", GA4_SCHEMA)
        warehouse.client.create_table(table)
        rows = [
            {
                "event_date": suffix[-8:],
                "event_timestamp": 1_693_360_000_000_000,
                "event_name": "screen_view",
                "user_id": token,
                "platform": platform,
                "event_params": [{"key": "ga_session_id", "value": {"int_value": session}}],
            }
            for _, platform, token, session in chosen
        ]
        config = bigquery.LoadJobConfig(schema=GA4_SCHEMA)
        warehouse.client.load_table_from_json(rows, table, job_config=config).result()
    return made


def same(one: Any, other: Any) -> bool:
    """Tells whether two databases gave the same value; numbers to the eighth digit."""
    if one is None or other is None or isinstance(one, str | bool | date):
        return bool(one == other)
    return isclose(float(one), float(other), rel_tol=1e-8, abs_tol=1e-8)


def full_width(text: str) -> str:
    """Returns a text with its digits in full width."""
    return text.translate({ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"})


def test_every_view_is_computed_twice() -> None:
    """No view is without its second computation."""
    assert set(SECOND) == set(BUNDLED_VIEWS)


@pytest.mark.parametrize("name", sorted(BUNDLED_VIEWS))
def test_the_numbers_are_postgresqls(questions: Questions, name: str) -> None:
    """What BigQuery says of a question, PostgreSQL says of the same rows, asked in other words."""
    found, wanted = questions.answers(name), questions.second(name)
    assert len(found) == len(wanted) > 0
    keys = len(BUNDLED_VIEWS[name].grain)
    by_grain = {row[:keys]: row for row in wanted} if name != "club_support" else {row[:2]: row for row in wanted}
    for row in found:
        other = by_grain[row[: 2 if name == "club_support" else keys]]
        assert all(same(*pair) for pair in zip(row, other, strict=True)), name


@pytest.mark.parametrize("name", sorted(BUNDLED_VIEWS))
def test_the_grain_holds(questions: Questions, name: str) -> None:
    """No two rows of a view have the same values in the columns of its grain."""
    assert questions.grain(name) == []


def test_a_doubled_row_breaks_the_grain(questions: Questions) -> None:
    """The test above would see it: each design that is there twice is found."""
    view = next(view for view in questions.views if view.name == "design_reaction")
    broken = View("doubled", view.about, f"{view.sql} UNION ALL {view.sql}", view.grain)
    publish_views(questions.warehouse, questions.contracts, [broken])
    BUNDLED_VIEWS["doubled"] = broken
    try:
        assert questions.grain("doubled")
    finally:
        del BUNDLED_VIEWS["doubled"]


@pytest.mark.parametrize("name", sorted(BY_DAY))
def test_days_without_rows_are_zero(questions: Questions, name: str) -> None:
    """From the first day to the last, each day has a row for every code, with zeros where nothing happened."""
    rows = questions.answers(name)
    days = sorted({row[0] for row in rows})
    assert days == [days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days + 1)]
    codes = {row[1] for row in rows}
    assert len(rows) == len(days) * len(codes)
    empty = [row for row in rows if not any(value for value in row[2:] if not isinstance(value, str))]
    assert empty
    if name in {"daily_gmv", "club_support", "daily_rewards"}:
        assert len([row for row in empty if row[0] == QUIET]) == len(codes)


@pytest.mark.parametrize("name", sorted(name for name, view in BUNDLED_VIEWS.items() if view.suppresses))
def test_small_groups_are_not_shown(questions: Questions, name: str) -> None:
    """No row is about fewer members than the settings say; with a threshold of one, smaller groups are there."""
    view = BUNDLED_VIEWS[name]
    place = list(view.columns).index("app_members" if "app_members" in view.columns else "members")
    assert min(row[place] for row in questions.answers(name)) >= SMALLEST
    assert name in LARGE_GROUPS or min(row[place] for row in questions.second(name, smallest=1)) < SMALLEST


def test_views_of_people_suppress(questions: Questions) -> None:
    """A view with a trait of members leaves small groups out, whatever else it shows."""
    traits = {"age_band", "prefecture", "occupation", "income_band", "score_band", "past_delinquency", "other_debt"}
    of_people = {name for name, view in BUNDLED_VIEWS.items() if traits & set(view.columns)}
    assert of_people >= {"member_traits", "unpaid_traits", "screening_outcome", "member_churn"}
    assert all(BUNDLED_VIEWS[name].suppresses for name in of_people)
    assert questions.views


def test_a_threshold_of_one_shows_groups_of_one(questions: Questions) -> None:
    """The threshold is set once, in the settings, and a change of it changes every view with the next run."""
    all_shown = Warehouse(settings(questions.warehouse.settings, smallest=1))
    publish_views(all_shown, questions.contracts, questions.views)
    shown = questions.answers("member_traits")
    publish_views(questions.warehouse, questions.contracts, questions.views)
    assert min(row[3] for row in shown) == 1
    assert len(shown) == len(questions.second("member_traits", smallest=1)) > len(questions.answers("member_traits"))


def test_columns_are_described_in_bigquery(questions: Questions) -> None:
    """Whoever opens a view sees what each column is, in the settings' language."""
    japanese = Warehouse(questions.warehouse.settings.model_copy(update={"descriptions": "ja"}))
    for warehouse, language in ((japanese, "ja"), (questions.warehouse, "en")):
        publish_views(warehouse, questions.contracts, questions.views)
        table = warehouse.find_table("vw_looker.daily_gmv")
        assert table is not None
        said = {field.name: field.description for field in table.schema}
        wanted = BUNDLED_VIEWS["daily_gmv"]
        assert said == {name: about.in_language(language) for name, about in wanted.columns.items()}  # type: ignore[arg-type]


@pytest.mark.parametrize(("column", "spellings"), [("member_id", (int, str)), ("phone", (str, full_width))])
def test_the_public_api_makes_the_published_tokens(
    questions: Questions, issuer: Issuer, column: str, spellings: tuple[Callable[[Any], Any], ...]
) -> None:
    """A number as such and as digits, and a phone in full width where the contract normalizes, is BigQuery's token."""
    keys = open_keyring(KeyRef(issuer.settings.keyring.ref))
    mask = questions.contracts["members"].columns[column].mask
    assert isinstance(mask, KeyedStrategy)
    with psycopg.connect(issuer.ends.primary_url) as source:
        rows = source.execute(f"SELECT {column} FROM issuing.members WHERE {column} IS NOT NULL".encode()).fetchall()
    published = questions.warehouse.rows("Not read", f"SELECT {column} AS token FROM vw_issuing.members")
    wanted = sorted(row["token"] for row in published if row["token"] is not None)
    assert wanted
    for spell in spellings:
        assert sorted(map(str, tokens([spell(value) for (value,) in rows], keys, mask))) == wanted


def test_without_an_export_there_is_no_view_of_the_app(questions: Questions) -> None:
    """The view over Google Analytics is published only where the settings name its export, which has begun."""
    for export in (None, f"{questions.warehouse.settings.project}.analytics_8"):
        none = {"views": ViewSettings(ga4_export=export), "views_dataset": "vw_none"}
        changed = settings(questions.warehouse.settings).model_copy(update=none)
        done = publish_views(Warehouse(changed), questions.contracts, questions.views)
        assert set(done) == set(BUNDLED_VIEWS) - {"app_and_payments"}


def test_a_report_of_days_reads_these_days_only(questions: Questions) -> None:
    """The date control's filter reaches the partitions: a day's answer is the same however many days there are."""
    whole = [row for row in questions.answers("payments_by_trait") if row[0] == DAY]
    sql = f"SELECT * FROM vw_looker.payments_by_trait WHERE business_date = '{DAY}'"
    rows = questions.warehouse.rows("Not read", sql)
    assert sorted((tuple(row) for row in rows), key=repr) == whole


def test_the_bundled_folder_is_what_is_tested(questions: Questions) -> None:
    """The copies of this module differ from the bundled views in the names of datasets only."""
    copied = {view.name: view.sql.replace("vw_", "") for view in questions.views}
    assert copied == {name: view.sql for name, view in BUNDLED_VIEWS.items()}
    assert Path(BUNDLED).is_dir()
