"""One way in for both engines: their rooms are alike, and each process loads only the driver that its URL asks for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from etl import source

LOADED = "import sys, etl.entry, etl.run.daily, etl.source.open, etl.stage.jdbc; print('pymysql' in sys.modules)"
NAMES = {
    "connect": ("control_connection", "translated"),
    "failures": ("query_failure",),
    "guard": ("prove_reader",),
    "catalogue": ("describe", "relations"),
    "definition": ("definitions",),
    "key_ranges": ("key_slices",),
    "pulse": ("room_for_sessions", "lag_of", "pulse_of"),
    "snapshot": ("hold_snapshot", "join_snapshot"),
}
"""What a newcomer who knows one engine looks for in the other."""


def test_who_reads_postgresql_loads_no_driver_of_mysql() -> None:
    """Neither a run nor staging by Spark JDBC imports PyMySQL before a URL says mysql."""
    loaded = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)  # noqa: S603  our own line
    assert loaded.stdout == "False\n"


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_both_engines_have_the_same_names(engine: str) -> None:
    """Each role is in a module of the same name, by functions of the same names."""
    for module, names in NAMES.items():
        found = import_module(f"etl.source.{engine}.{module}")
        assert all(callable(getattr(found, name, None)) for name in names), module


def test_the_room_of_mysql_has_no_file_that_postgresql_lacks() -> None:
    """Only PostgreSQL has more: Spark JDBC reads MySQL's rows, its keys need no separators and its tables no locks."""
    room = Path(str(source.__file__)).parent
    postgres, mysql = ({path.name for path in (room / name).glob("*.py")} for name in ("postgres", "mysql"))
    assert postgres - mysql == {"locks.py", "read.py", "separators.py"}
    assert not mysql - postgres
