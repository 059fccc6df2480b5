"""One way in for both engines: each process loads only the driver that its URL asks for."""

from __future__ import annotations

import subprocess
import sys

LOADED = "import sys, etl.entry, etl.run.daily, etl.source.open, etl.stage.jdbc; print('pymysql' in sys.modules)"


def test_who_reads_postgresql_loads_no_driver_of_mysql() -> None:
    """Neither a run nor staging by Spark JDBC imports PyMySQL before a URL says mysql."""
    loaded = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)  # noqa: S603  our own line
    assert loaded.stdout == "False\n"
