"""`kagemusha drift`: what contracts and the source disagree about, before a run finds out."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from masking.errors import CONTRACT_MUST_CHANGE


class Form(StrEnum):
    """How drift is written."""

    TEXT = "text"
    JSON = "json"
    DIFF = "diff"


def drift(
    table: Annotated[
        list[str] | None, typer.Option(help="A contract's table; repeat for several; default: all.")
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="text, json, or diff: a patch of the contracts for `git apply`.")
    ] = Form.TEXT,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Compare contracts with the source's catalogue: new, missing, renamed, retyped and nullable columns, privileges.

    No row is read. Ends with 0 when a run would read every table, with 2 when it would refuse one.
    """
    from etl.authoring.drift_report import Form as Report
    from etl.authoring.drift_report import write_drift
    from etl.authoring.drift_survey import survey_drift
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts, select_contracts

    folder = contracts or BUNDLED
    found = survey_drift(load_settings(settings).source, select_contracts(load_contracts(folder), table or []), folder)
    write_drift(found, Report(form), sys.stdout)
    if any(one.stops for one in found):
        raise typer.Exit(CONTRACT_MUST_CHANGE)
