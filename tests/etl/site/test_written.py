"""The site of a real installation: written by its runs and on demand, whole, and of nothing but names and counts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.installation import Installation
from etl.run.record.results import RunResult
from etl.settings import Settings, load_settings
from etl.site import of_run
from etl.site.of_run import write_site_of_run
from etl.site.pictures import groups_of
from schemas.pictures import Picture
from tests.etl.changed_settings import settings_file
from tests.etl.conftest import DAY, Issuer, Republish

pytestmark = pytest.mark.stack
TABLES = ("admin_users", "card_designs")


@dataclass(frozen=True)
class House:
    """Two tables that two runs of this module loaded, with a ledger of their own."""

    file: Path
    folder: Path
    settings: Settings
    first: RunResult
    second: RunResult

    def command(self, *arguments: str) -> str:
        """Runs a command in this process and returns what it printed."""
        given = ["--settings", str(self.file), "--contracts", str(self.folder)]
        done = CliRunner().invoke(app, [*arguments, *given], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    @property
    def bucket(self) -> StagingBucket:
        """Where the runs staged."""
        return StagingBucket(StagingLocation.of(self.settings))


@pytest.fixture(scope="module")
def house(issuer: Issuer, republished: Republish, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Returns the tables, loaded for two days; the second run leaves its site."""
    folder = republished("st", *TABLES)
    changes = {"bigquery__ops_dataset": '"st_ops"', "bigquery__views_dataset": '"st_views"'}
    file = settings_file(issuer.ends, tmp_path_factory.mktemp("settings"), **changes)
    settings = load_settings(file)
    first = issuer.load(DAY, contracts=folder, settings=settings)
    writing = settings.model_copy(update={"site": settings.site.model_copy(update={"write": True, "seconds": 120})})
    return House(file, folder, settings, first, issuer.load(DAY, contracts=folder, settings=writing))


def names(house: House, run: RunResult) -> set[str]:
    """Returns what a run has left below its `site`."""
    prefix = f"{house.settings.stage.prefix}/{run.run_id}/site/"
    return {one.name.removeprefix(prefix) for one in house.bucket.stored(prefix)}


def test_a_run_leaves_its_site_where_the_settings_say_so(house: House) -> None:
    """Pages of both languages lie beside the staged files of the run that was told to, and of no other."""
    found = names(house, house.second)
    assert {
        "index.html",
        "ja/index.html",
        "evidence.html",
        "evidence.json",
        "assets/site.css",
        "assets/site.js",
    } < found
    assert {f"tables/{name}.html" for name in TABLES} < found
    assert f"runs/{house.second.run_id}.html" in found
    assert names(house, house.first) == set()


def test_whatever_is_left_has_a_note(house: House) -> None:
    """Runs that staged, and one that left nothing but its site, are found when their days are over."""
    write_site_of_run(Installation.open(house.settings), "nothing-but-its-site", house.folder)
    left = {house.first.run_id, house.second.run_id, "nothing-but-its-site"}
    notes = f"{house.settings.stage.prefix}/unexpired/"
    assert left <= {one.name.removeprefix(notes) for one in house.bucket.stored(notes)}


def test_a_site_on_demand_says_the_same(house: House, tmp_path: Path) -> None:
    """`kagemusha site` writes the pages into a folder and prints the first; rows are those of BigQuery."""
    printed = house.command("site", str(tmp_path / "out")).strip()
    assert printed == str(tmp_path / "out" / "index.html")
    rows = next(one.rows for one in house.second.tables if one.table == "admin_users")
    page = (tmp_path / "out" / "tables" / "admin_users.html").read_text(encoding="utf-8")
    assert f"<dd>{rows:,}</dd>" in page
    assert house.second.run_id in page
    assert "on a local server" in page
    run = (tmp_path / "out" / "runs" / f"{house.second.run_id}.html").read_text(encoding="utf-8")
    assert f"There are {rows:,} rows, as many as in the source." in run
    assert f'<a href="#c-admin_users">{len(re.findall("<li>", _held(run, "admin_users")))} / ' in run


def _held(page: str, table: str) -> str:
    """Returns what a run's page lists of a table's checks that held."""
    return page.partition(f'<details id="c-{table}">')[2].partition("</details>")[0]


def test_the_terminal_says_the_same(house: House) -> None:
    """`kagemusha catalog` and `kagemusha evidence` print the facts of the pages; JSON has them by name."""
    told = json.loads(house.command("catalog", "admin_users", "--format", "json"))
    assert told["status"]["rows"] == next(one.rows for one in house.second.tables if one.table == "admin_users")
    assert {one["name"] for one in told["columns"]} >= {"password_hash"}
    assert "管理画面" in house.command("catalog", "admin_users", "--language", "ja")
    evidence = json.loads(house.command("evidence", house.second.run_id, "--format", "json"))
    states = {one["number"]: one["findings"]["missing"] for one in evidence["answers"]}
    assert states["3.3"] == states["10.3"] == states["3.6, 3.7"] == []
    since = house.command("evidence", house.second.run_id, "--since", house.first.run_id)
    assert "Nothing is newly exposed." in since


def test_an_earlier_contract_is_compared_as_it_ran(house: House) -> None:
    """A contract that is changed after a run changes nothing in the evidence of that run: its own was kept."""
    path = house.folder / "admin_users.yaml"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace("One row for each", "Precisely one row for each"), encoding="utf-8")
        told = house.command("evidence", house.second.run_id)
    finally:
        path.write_text(text, encoding="utf-8")
    assert "Precisely" not in told
    assert "The contract has changed since this run" not in told


@pytest.fixture(scope="module")
def installation(house: House) -> Installation:
    """Returns the installation, opened."""
    return Installation.open(house.settings)


def test_a_site_that_takes_too_long_holds_up_nobody(
    house: House, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on after `[site].seconds`, whatever the work still does, and says what is missing."""
    monkeypatch.setattr(of_run, "gathered", lambda *_: time.sleep(5))
    site = house.settings.site.model_copy(update={"seconds": 0.2})
    slow = replace(installation, settings=house.settings.model_copy(update={"site": site}))
    began = time.monotonic()
    ended = write_site_of_run(slow, "nobody", house.folder)
    assert time.monotonic() - began < 2
    assert (ended.uri, ended.failure) == ("", "OutOfTime")


HANGING = """
import sys, time
from threading import Event
from types import SimpleNamespace as Made
from etl.site import of_run
from tests.etl.site.made_up import site

stuck = Made(target=Made(prefix="p", uri=str), write_once=lambda *_: None, write=lambda *_: Event().wait())
of_run.gathered = lambda *_: site()
ended = of_run.write_site_of_run(Made(bucket=stuck, settings=Made(site=Made(seconds=0.5)), ledger=None), "run", None)
print(ended.failure)
"""


def test_a_request_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    """A run whose site waits for an answer that never comes goes on in time, and its process ends with it."""
    program = tmp_path / "hanging.py"
    program.write_text(HANGING, encoding="utf-8")
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, str(program)], capture_output=True, text=True, check=True, timeout=40, env=where
    )
    assert done.stdout.strip() == "OutOfTime"


def test_a_site_that_fails_is_told_by_its_kind(
    house: House, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign error, whose message could quote a value, becomes its kind."""

    def broken(*_: object) -> None:
        raise ValueError("4111111111111111")

    monkeypatch.setattr(of_run, "gathered", broken)
    ended = write_site_of_run(installation, "nobody", house.folder)
    assert ended.said == {"error": "The site was not written: ValueError."}


PICTURE = Picture.model_validate(
    {
        "title": "Members who left",
        "shape": "columns",
        "x": "month",
        "measures": ["leavers"],
        "people": {"column": "members", "adds": True},
    }
)


@pytest.mark.parametrize(("people", "shown"), [({"adds": True}, {"b", "c"}), ({"adds": False}, {"c"})])
def test_a_group_of_too_few_is_not_drawn(house: House, people: dict[str, bool], shown: set[str]) -> None:
    """A group of one or nine persons is counted, and stays away; rows that may share persons do not add up to ten."""
    warehouse = Warehouse.of(house.settings)
    warehouse.client.query_and_wait(
        "CREATE OR REPLACE TABLE st_views.groups AS SELECT 'a' AS month, 1 AS members, 1 AS leavers "
        "UNION ALL SELECT 'b', 9, 4 UNION ALL SELECT 'b', 1, 0 UNION ALL SELECT 'c', 10, 5"
    )
    chosen = PICTURE.people.model_copy(update=people)
    picture = PICTURE.model_copy(update={"people": chosen})
    found = groups_of(warehouse, "st_views.groups", picture, 10, 2**30)
    assert {month for month, _ in found.values} == shown
    assert found.small == 3 - len(shown)
    assert groups_of(warehouse, "st_views.nowhere", picture, 10, 2**30).missing == "unpublished"
    assert groups_of(warehouse, "st_views.groups", picture, 11, 2**30).missing == "empty"


def test_a_count_of_few_beside_a_larger_one_is_not_drawn(house: House) -> None:
    """Of members and those of them who left, a group of two who left stays away, however many members there are."""
    warehouse = Warehouse.of(house.settings)
    warehouse.client.query_and_wait(
        "CREATE OR REPLACE TABLE st_views.parts AS SELECT 'a' AS month, 40 AS members, 2 AS leavers "
        "UNION ALL SELECT 'b', 50, 20"
    )
    picture = PICTURE.model_copy(update={"measures": ("members", "leavers"), "stacked": False})
    found = groups_of(warehouse, "st_views.parts", picture, 10, 2**30)
    assert found.values == {("a", "members"): 40, ("b", "members"): 50, ("b", "leavers"): 20}
    assert found.small == 1
