"""The command line: `kagemusha COMMAND`, one file a command."""

from __future__ import annotations

import sys

import typer

from etl.cli.audit import audit
from etl.cli.backfill import backfill
from etl.cli.detokenize import detokenize
from etl.cli.diff import diff
from etl.cli.discover import discover
from etl.cli.drift import drift
from etl.cli.evidence import evidence
from etl.cli.forget import forget
from etl.cli.keys import keys
from etl.cli.leases import leases
from etl.cli.lint import lint
from etl.cli.local import local
from etl.cli.plan import plan
from etl.cli.prepare import prepare
from etl.cli.preview import preview
from etl.cli.publish import publish
from etl.cli.retokenize import retokenize
from etl.cli.run import run
from etl.cli.scan_leaks import scan_leaks
from etl.cli.status import runs, status
from etl.cli.verify import verify
from etl.cli.waive import waive
from etl.entry import guarded

app = typer.Typer(
    name="kagemusha",
    help="Copies a card issuer's tables into BigQuery; a double stands in for every card number and person.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(run)
app.command()(backfill)
app.command()(prepare)
app.command()(lint)
app.command()(diff)
app.command()(preview)
app.command()(plan)
app.command()(drift)
app.command()(status)
app.command()(runs)
app.command()(leases)
app.command()(verify)
app.command()(evidence)
app.command()(forget)
app.command()(discover)
app.command()(audit)
app.command()(publish)
app.command()(waive)
app.command()(detokenize)
app.command("scan-leaks")(scan_leaks)
app.command()(retokenize)
app.add_typer(keys, name="keys")
app.add_typer(local, name="local")


def main() -> None:
    """Runs the command line and ends the process with the command's exit code."""
    sys.exit(guarded(_run))


def _run() -> int:
    try:
        code = app(standalone_mode=True)
    except SystemExit as end:
        code = end.code
    return code if isinstance(code, int) else 0
