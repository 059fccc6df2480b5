"""Starts and stops the local stack by hand.

python scripts/local_stack/stack.py up|down|status|reset [--root .local] [--mysql]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_CHECKOUT))

from scripts.local_stack.local_stack import LocalStack  # noqa: E402 - a script finds its checkout first
from scripts.local_stack.processes import LocalStackFailed  # noqa: E402 - as above


def main() -> int:
    """Does what the command line says; gives the exit code: 0 when the stack is as asked, 2 when it cannot be."""
    parser = argparse.ArgumentParser(
        description="PostgreSQL primary and standby, Cloud Storage and BigQuery on loopback."
    )
    parser.add_argument("command", choices=("up", "down", "status", "reset"))
    parser.add_argument("--root", type=Path, default=_CHECKOUT / ".local", help="folder for data, logs and passwords")
    parser.add_argument("--mysql", action="store_true", help="up: with MariaDB, and settings_mysql.toml that names it")
    given = parser.parse_args()
    stack = LocalStack(given.root)
    began = time.monotonic()
    try:
        if given.command == "up":
            stack.up(mysql=given.mysql)
        elif given.command == "down":
            stack.down()
        elif given.command == "reset":
            stack.reset()
        parts = stack.status()
    except LocalStackFailed as failed:
        print(failed, file=sys.stderr)
        return failed.exit_code
    for line in parts:
        what = f"port {line.port}, pid {line.pid}" if line.pid else "stopped"
        print(f"{line.part:<10} {'ok' if line.healthy else 'down':<5} {what}")
    print(f"{given.command}: {time.monotonic() - began:.1f} s")
    expected = given.command not in ("up", "status") or all(line.healthy for line in parts)
    return 0 if expected else LocalStackFailed.exit_code


if __name__ == "__main__":
    sys.exit(main())
