"""`kagemusha local`: the local stack of a checkout, started and stopped; Spark made quick to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from masking.errors import KagemushaError

local = typer.Typer(
    help="This machine: the local stack of PostgreSQL, Cloud Storage and BigQuery on loopback, and Spark's start.",
    no_args_is_help=True,
)
_SCRIPT = Path("scripts/local_stack/stack.py")
Root = Annotated[
    Path | None, typer.Option(help="Folder for data, logs and passwords; `.local` in the checkout if not given.")
]


class NoCheckout(KagemushaError):
    """The local stack belongs to a checkout, and there is none here."""

    advice = "Run it inside a checkout of the repository."


@local.command()
def up(
    root: Root = None,
    mysql: Annotated[  # noqa: FBT002  a flag of the command line
        bool, typer.Option("--mysql", help="With MariaDB, and `settings_mysql.toml` that names it as the source.")
    ] = False,
) -> None:
    """Start what does not run; write `settings.toml`. A second `up` only checks."""
    _run("up", root, *(["--mysql"] if mysql else []))


@local.command()
def down(root: Root = None) -> None:
    """Stop the stack's own processes. Data stays."""
    _run("down", root)


@local.command()
def status(root: Root = None) -> None:
    """Show each part; exit code 2 when one is not well."""
    _run("status", root)


@local.command()
def reset(root: Root = None) -> None:
    """Stop the stack and remove its data. Keys and benchmark figures stay."""
    _run("reset", root)


@local.command()
def warm() -> None:
    """Lay out Spark's classes once for this environment: later runs here start in half the time. 15 seconds, 150 MB."""
    from etl.upkeep.class_archive import make_class_archive

    typer.echo(f"Spark starts from {make_class_archive()}.")


def _run(command: str, root: Path | None, *options: str) -> None:
    given = [*options, *(["--root", str(root)] if root else [])]
    done = subprocess.run([sys.executable, str(_script()), command, *given], check=False)  # noqa: S603 - our own script
    raise typer.Exit(done.returncode)


def _script() -> Path:
    """Finds the script in the checkout we run from, or in the one we stand in."""
    for checkout in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (checkout / _SCRIPT).exists():
            return checkout / _SCRIPT
    raise NoCheckout(
        f"{_SCRIPT} is not here.", not_done="Nothing was started or stopped.", where={"folder": Path.cwd()}
    )
