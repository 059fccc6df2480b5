"""Runs jobs of a package in one Spark application: `one_after_another.py PACKAGE "smoke.py --settings …" "…"`.

Each is run as its own script, with its own arguments; the first that does not end well ends the application. One
application unpacks the archive once, which takes longer than the smoke job.
"""

from __future__ import annotations

import runpy
import sys

package, *jobs = sys.argv[1:]
for job in jobs:
    sys.argv = job.split()
    try:
        runpy.run_path(f"{package}/{sys.argv[0]}", run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
