"""Links that open a view or a table: in a new report of Looker Studio, in BigQuery's console, in a sheet.

The parameters are those of Google's Linking API ("Looker Studio", Linking API: control, report and data source
parameters; connector reference, BigQuery). It has none for the date of a report's date control: Looker Studio takes a
data source's first date column, which is why views have theirs first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from etl.reports.words.wording import wording
from etl.settings import BigQuerySettings
from schemas.view_file import View
from schemas.words import Language

_REPORT: Final = "https://lookerstudio.google.com/reporting/create"
_CONSOLE: Final = "https://console.cloud.google.com/bigquery"
_NEW_SHEET: Final = "https://docs.google.com/spreadsheets/create"


@dataclass(frozen=True, kw_only=True)
class TableLinks:
    """Where one table or view opens.

    Attributes:
        console: in BigQuery's console.
        sheet: an empty sheet; Google documents no link that connects one.
        sheet_steps: how it is connected.
    """

    console: str
    sheet: str
    sheet_steps: str


@dataclass(frozen=True, kw_only=True)
class Links(TableLinks):
    """Where one view opens.

    Attributes:
        view: its name.
        about: what it answers.
        report: a new report of Looker Studio on it, a copy of the template where the settings name one.
    """

    view: str
    about: str
    report: str


def links(settings: BigQuerySettings, views: Iterable[View], language: Language = "en") -> list[Links]:
    """Returns the links of views, in their order; nothing is asked of Google."""
    return [
        Links(
            view=view.name,
            about=view.about.in_language(language),
            report=report_url(settings, view, language),
            **vars(table_links(settings, f"{settings.views_dataset}.{view.name}", language)),
        )
        for view in views
    ]


def table_links(settings: BigQuerySettings, publish: str, language: Language = "en") -> TableLinks:
    """Returns the links of a table or view.

    Args:
        settings: name the project.
        publish: dataset.name.
        language: of the way into a sheet.
    """
    dataset, _, name = publish.partition(".")
    steps = wording(language).text("open.sheet_steps", project=settings.project, dataset=dataset, name=name)
    console = _url(_CONSOLE, p=settings.project, d=dataset, t=name, page="table")
    return TableLinks(console=console, sheet=_NEW_SHEET, sheet_steps=steps)


def report_url(settings: BigQuerySettings, view: View, language: Language = "en") -> str:
    """Returns the link that opens a report on a view; the data source of a template must have the alias `view`."""
    template = settings.views.report_template
    control = {"c.reportId": template} if template else {}
    return _url(
        _REPORT,
        **control,
        **{
            "c.mode": "edit",
            "r.reportName": view.about.in_language(language),
            "ds.view.connector": "bigQuery",
            "ds.view.datasourceName": view.name,
            "ds.view.type": "TABLE",
            "ds.view.projectId": settings.project,
            "ds.view.datasetId": settings.views_dataset,
            "ds.view.tableId": view.name,
            "ds.view.billingProjectId": settings.project,
            "ds.view.refreshFields": "true",
        },
    )


def _url(address: str, **parameters: str) -> str:
    return f"{address}?{urlencode(parameters)}"
