"""Fills PostgreSQL with a made-up card issuer, and lets its business days pass.

    python scripts/synth.py create --scale 60000 --first-day 2023-08-01 --last-day 2023-08-30
    python scripts/synth.py advance            # the next business day: new, late and changed rows
    python scripts/synth.py copy               # the same rows in MySQL's dialect

Equal seeds give equal rows. Every card number is of the brands' published test ranges, every person is made up.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from scripts.issuer.build import advance, create  # noqa: E402  needs the path above
from scripts.issuer.database import SynthRefused  # noqa: E402  the same
from scripts.issuer.mysql import copy  # noqa: E402  the same
from scripts.issuer.population import Population  # noqa: E402  the same

SETTINGS = ROOT / ".local" / "settings.toml"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; gives the exit code: 0 done, 2 refused."""
    given = _parser().parse_args(arguments)
    try:
        begun = time.monotonic()
        url = given.url or _primary_url()
        if given.command == "advance":
            print(f"The database stands at the end of {advance(url, given.day)}.")
            return 0
        if given.command == "copy":
            return _copy(url, given.to, given.to_password, begun)
        if given.last_day < given.first_day:
            raise SynthRefused("--last-day lies before --first-day.")
        people = Population.of_scale(given.scale, given.seed, given.first_day, given.last_day, given.members)

        def progress(done: str) -> None:
            print(f"{time.monotonic() - begun:8.1f} s  {done}", flush=True)

        rows = create(url, people, given.last_day, sessions=given.sessions, progress=progress)
    except SynthRefused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 2
    seconds, total = time.monotonic() - begun, sum(rows.values())
    for table, number in rows.items():
        print(f"{number:>12,}  {table}")
    print(f"{total:>12,}  rows in {seconds:.1f} s ({total / seconds:,.0f} rows/s)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Fills PostgreSQL with a made-up card issuer.")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("create", help="replace the made-up issuer")
    making.add_argument("--scale", type=_positive, default=60_000, help="payments, about (default 60,000)")
    making.add_argument("--members", type=_positive, help="members (default: one for 20 payments)")
    making.add_argument("--seed", type=int, default=1, help="equal seeds give equal rows (default 1)")
    making.add_argument(
        "--first-day", type=date.fromisoformat, default=date(2023, 8, 1), help="first business day, JST"
    )
    making.add_argument("--last-day", type=date.fromisoformat, default=date(2023, 8, 30), help="last business day, JST")
    making.add_argument("--sessions", type=_positive, default=2, help="database sessions at once (default 2)")
    passing = commands.add_parser("advance", help="let business days pass")
    passing.add_argument("--day", type=date.fromisoformat, help="the day to arrive at (default: the next one)")
    copying = commands.add_parser("copy", help="copy the made-up issuer to MySQL or MariaDB")
    copying.add_argument("--to", help="mysql://owner@host:port/database; default: mysql_url of .local/settings.toml")
    copying.add_argument("--to-password", help="where its password is, file:PATH or env:NAME; default: mysql_password")
    for command in (making, passing, copying):
        command.add_argument("--url", help="primary database; default: primary_url of .local/settings.toml")
    return parser


def _positive(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _copy(url: str, to: str | None, password: str | None, begun: float) -> int:
    rows = copy(url, to or _setting("mysql_url", "--to"), password or _setting("mysql_password", "--to-password"))
    total, seconds = sum(rows.values()), time.monotonic() - begun
    print(f"{total:>12,}  rows of {len(rows)} tables copied in {seconds:.1f} s ({total / seconds:,.0f} rows/s)")
    return 0


def _primary_url() -> str:
    return _setting("primary_url", "--url")


def _setting(name: str, option: str) -> str:
    if not SETTINGS.is_file():
        raise SynthRefused(
            f"There is no .local/settings.toml. Start the stack with `kagemusha local up`, or give {option}."
        )
    found = tomllib.loads(SETTINGS.read_text(encoding="utf-8")).get("local", {}).get(name)
    if not isinstance(found, str):
        raise SynthRefused(f".local/settings.toml names no [local] {name}. Give {option}.")
    return found


if __name__ == "__main__":
    sys.exit(main())
