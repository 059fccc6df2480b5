"""Links carry what Google's pages name, nothing else, and every name comes through as it is."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.reports.links import links, report_url
from etl.settings import BigQuerySettings, ViewSettings
from schemas.view_file import View, load_views
from schemas.words import Text
from tests.etl.upkeep.test_detokenize import SETTINGS

DOCUMENTED = {"c.reportId", "c.pageId", "c.mode", "c.explain", "r.reportName", "r.measurementId", "r.keepMeasurementId"}
OF_A_SOURCE = {
    "connector", "datasourceName", "refreshFields", "type", "projectId", "datasetId", "tableId", "billingProjectId",
    "isPartitioned", "sql", "keepDatasourceName",
}  # fmt: skip
"""Parameters of Google's Linking API: control and report parameters, and those of a BigQuery data source."""


def settings(template: str | None = None, project: str = "issuer-analytics") -> BigQuerySettings:
    """Returns where views are, and a template."""
    return BigQuerySettings(project=project, views=ViewSettings(report_template=template))


@pytest.mark.parametrize("template", [None, "1a2b_3-C"])
@pytest.mark.parametrize("view", load_views(), ids=lambda view: view.name)
def test_a_report_is_opened_by_documented_parameters(view: View, template: str | None) -> None:
    """Each parameter of each view's link is one that Google documents, once, with the view's own names."""
    found = urlsplit(report_url(settings(template), view))
    given = parse_qsl(found.query, strict_parsing=True)
    names = [name for name, _ in given]
    assert f"{found.scheme}://{found.netloc}{found.path}" == "https://lookerstudio.google.com/reporting/create"
    assert len(set(names)) == len(names)
    of_source = {name.split(".")[2] for name in names if name.startswith("ds.view.")}
    assert of_source <= OF_A_SOURCE
    assert {name for name in names if not name.startswith("ds.")} <= DOCUMENTED
    said = dict(given)
    assert (said["ds.view.connector"], said["ds.view.type"]) == ("bigQuery", "TABLE")
    assert said["ds.view.tableId"] == view.name
    assert said.get("c.reportId") == template


def test_names_that_need_escaping_come_through() -> None:
    """A project of a domain, and a view whose words hold signs of URLs, are what they were once the link is read."""
    view = View("gmv&more", Text("GMV & more: 100% of «a=b»?", "取扱高＆その他"), "SELECT 1")
    (found,) = links(settings(project="example.com:issuer analytics"), [view], "ja")
    said = dict(parse_qsl(urlsplit(found.report).query))
    assert (said["ds.view.projectId"], said["ds.view.tableId"]) == ("example.com:issuer analytics", "gmv&more")
    assert said["r.reportName"] == "取扱高＆その他"
    assert dict(parse_qsl(urlsplit(report_url(settings(), view)).query))["r.reportName"] == str(view.about)
    console = dict(parse_qsl(urlsplit(found.console).query))
    assert console == {"p": "example.com:issuer analytics", "d": "looker", "t": "gmv&more", "page": "table"}
    assert "gmv&more" in found.sheet_steps


@pytest.mark.parametrize("view", [view for view in load_views() if view.date], ids=lambda view: view.name)
def test_the_date_of_a_report_is_the_first_column(view: View) -> None:
    """Google's links cannot name a date; Looker Studio takes the first one, and so it is the view's own."""
    assert next(iter(view.columns)) == view.date


def test_the_command_prints_links_and_json(tmp_path: Path) -> None:
    """For people and for programs; a view that is not there is named."""
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS.format(keyring="none"), encoding="utf-8")
    done = CliRunner().invoke(app, ["links", "--settings", str(file), "--view", "daily_gmv"])
    assert done.exit_code == 0
    assert "https://lookerstudio.google.com/reporting/create?c.mode=edit" in done.stdout
    done = CliRunner().invoke(app, ["links", "--settings", str(file), "--json", "--language", "ja"])
    assert [one["view"] for one in json.loads(done.stdout)] == [view.name for view in load_views()]
    done = CliRunner().invoke(app, ["links", "--settings", str(file), "--view", "nothing"])
    assert "There is no view nothing." in str(done.exception)
