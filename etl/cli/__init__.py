"""The command line: `kagemusha COMMAND`, one file a command."""

from __future__ import annotations

import sys
from io import StringIO
from typing import Final, cast

import typer

from etl.cli.access import access
from etl.cli.audit import audit
from etl.cli.backfill import backfill
from etl.cli.catalog import catalog
from etl.cli.cost import cost
from etl.cli.detokenize import detokenize
from etl.cli.diff import diff
from etl.cli.discover import discover
from etl.cli.drift import drift
from etl.cli.evidence import evidence
from etl.cli.export import export
from etl.cli.forget import forget
from etl.cli.keys import keys
from etl.cli.leases import leases
from etl.cli.links import links
from etl.cli.lint import lint
from etl.cli.local import local
from etl.cli.plan import plan
from etl.cli.prepare import prepare
from etl.cli.preview import preview
from etl.cli.publish import publish
from etl.cli.retokenize import retokenize
from etl.cli.run import run
from etl.cli.scan_leaks import scan_leaks
from etl.cli.site import site
from etl.cli.status import runs, status
from etl.cli.tokenize import tokenize
from etl.cli.verify import verify
from etl.cli.waive import waive
from etl.entry import guarded
from etl.errors import STOPPED
from etl.typed import withheld

app = typer.Typer(
    name="kagemusha",
    help="Copies a card issuer's tables into BigQuery; a double stands in for every card number and person.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # help is plain text: nothing to load, and `[limits]` is no markup
)
app.command("run", short_help="Read, mask, audit and publish one business day.")(run)
app.command("backfill", short_help="Load a range of business days again.")(backfill)
app.command("prepare", short_help="Create what a first run needs in Google's cloud.")(prepare)
app.command("lint", short_help="Check contracts and suites.")(lint)
app.command("diff", short_help="Say what a change of the contracts newly shows.")(diff)
app.command("preview", short_help="Show a table's masks at work on made-up values.")(preview)
app.command("plan", short_help="Show what a run would read and replace.")(plan)
app.command("drift", short_help="Compare contracts with the source's catalogue.")(drift)
app.command("status", short_help="Show what is loaded of each table, and what storage costs.")(status)
app.command("runs", short_help="Show the last runs.")(runs)
app.command("leases", short_help="Show which run holds which table; free a dead run's.")(leases)
app.command("verify", short_help="Compare BigQuery, ledger and source for one business day.")(verify)
app.command("catalog", short_help="Show what tables and columns are, and what became of them.")(catalog)
app.command("site", short_help="Write the site: catalog, runs, evidence, dashboards.")(site)
app.command("links", short_help="Show links that open views in Looker Studio, Sheets and BigQuery.")(links)
app.command("cost", short_help="Say what a query or each view would read and cost.")(cost)
app.command("export", short_help="Write contracts as ODCS or as dbt's sources.yml.")(export)
app.command("access", short_help="Show who may read what, and what the settings do not say.")(access)
app.command("evidence", short_help="Print a run's report for security officers and assessors.")(evidence)
app.command("forget", short_help="Find persons in BigQuery, and erase them.")(forget)
app.command("discover", short_help="Propose a contract for a table that has none.")(discover)
app.command("audit", short_help="Audit what a run staged again.")(audit)
app.command("publish", short_help="Publish a staged table whose audit passes now.")(publish)
app.command("waive", short_help="Sign that one blocking failure may pass once.")(waive)
app.command("detokenize", short_help="Turn tokens back into values.")(detokenize)
app.command("tokenize", short_help="Turn values into the tokens that tables hold.")(tokenize)
app.command("scan-leaks", short_help="Look for readable card numbers and personal data.")(scan_leaks)
app.command("retokenize", short_help="Renew published tokens after `kagemusha keys rotate`.")(retokenize)
app.add_typer(keys, name="keys")
app.add_typer(local, name="local", short_help="Start and stop the local stack of a checkout.")

_WRONG_USE: Final = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])
"""Click's root of all that is wrong with a command line; which module has it depends on typer's version."""


def main() -> None:
    """Runs the command line and ends the process with the command's exit code."""
    sys.exit(guarded(_run))


def _run() -> int:
    """Runs the command line; what it says of a wrong use is ours to print, because it quotes what was typed."""
    said = StringIO()
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        said.write("Aborted!\n")
        code = STOPPED
    except _WRONG_USE as error:
        error.show(said)
        code = error.exit_code
    sys.stderr.write(withheld(said.getvalue(), sys.argv[1:]))
    return code if isinstance(code, int) else 0
