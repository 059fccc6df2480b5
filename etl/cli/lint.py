"""`kagemusha lint`: findings about contracts, printed as compilers print theirs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from masking.errors import CONTRACT_MUST_CHANGE


class Form(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Rules(StrEnum):
    """Which rules apply."""

    PCI = "pci"
    PSEUDONYMIZED = "pseudonymized"


def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Contract files or folders; the bundled ones if none.")
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="text, json, sarif (2.1.0) or github annotations.")
    ] = Form.TEXT,
    profile: Annotated[
        Rules, typer.Option(help="pci, or pseudonymized (仮名加工情報), which allows no reversible mask.")
    ] = Rules.PCI,
    suites: Annotated[
        Path | None, typer.Option(help="Folder of the tables' suites; with the bundled contracts, the bundled ones.")
    ] = None,
) -> None:
    """Check contracts, suites, views: their models, the masking policy (PCI DSS v4.0.1, Japanese law), expectations.

    Ends with 0 when no error was found (warnings may be), with 2 when a contract must change.
    """
    from etl.authoring.suite_findings import suite_findings
    from expectations.suite import BUNDLED as SUITES
    from masking.policy import Profile
    from schemas.contract_file import BUNDLED
    from schemas.lint import lint as find
    from schemas.lint_report import Format, report
    from schemas.view_file import view_findings

    findings = find(paths or [BUNDLED], Profile(profile))
    folder = suites or (None if paths else SUITES)
    if folder is not None:
        findings = tuple(sorted((*findings, *suite_findings(paths or [BUNDLED], folder))))
    findings = tuple(sorted((*findings, *view_findings(paths or [BUNDLED]))))
    written = report(findings, Format(form))
    if written:
        typer.echo(written)
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(CONTRACT_MUST_CHANGE)
