"""Measures reading alone by Spark JDBC: rows reach the Python workers in the contract's types, and nothing more.

`scripts/bench_source.py` calls it for PostgreSQL and MySQL; alone it measures a local stack that has MariaDB:

    python scripts/bench_jdbc.py --rows 1000000
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

import pyarrow as pa  # noqa: E402  needs the path above
from pyspark.sql import SparkSession  # noqa: E402  the same

from etl.plan import Scope, plan_table  # noqa: E402  the same
from etl.settings import SourceSettings, load_settings  # noqa: E402  the same
from etl.source import (  # noqa: E402  the same
    ReadColumn,
    hold_snapshot,
    join_snapshot,
)
from etl.source.jdbc import (  # noqa: E402  the same
    fit_text,
    jdbc_frame,
    reading_session,
)
from schemas.contract import Contract  # noqa: E402  the same
from schemas.contract_file import load_contract  # noqa: E402  the same
from scripts.benchmarks.ground import FOLDER, LAST_DAY, SLICE_MIB, bench_session, ground  # noqa: E402  the same
from scripts.issuer.mysql import copy  # noqa: E402  the same
from scripts.local_stack.local_stack import LocalStack  # noqa: E402  the same

_COUNTED: Final = pa.schema([("rows", pa.int64())])


def jdbc_rows_per_s(spark: SparkSession, source: SourceSettings, contract: Contract, day: date) -> int:
    """Returns how many rows a second of a window reach the workers by Spark JDBC, as the daily load reads them.

    Args:
        spark: a session with the engine's JDBC driver.
        source: the endpoint, of either engine.
        contract: of the table.
        day: the target business day.
    """
    columns = tuple(ReadColumn(name, column.type) for name, column in contract.selected.items())

    def counted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = sum(fit_text(batch, columns).num_rows for batch in batches if batch.num_rows)
        yield pa.RecordBatch.from_arrays([pa.array([rows], pa.int64())], schema=_COUNTED)

    own = reading_session(spark)
    with hold_snapshot(source) as held:
        with join_snapshot(held.snapshot) as session:
            slices = plan_table(session, contract, Scope(day), SLICE_MIB * 2**20).slices
        begun = time.monotonic()
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            frames = (jdbc_frame(own, held.snapshot, contract.source, columns, part) for part in slices)
            found = pool.map(lambda frame: frame.mapInArrow(counted, "rows bigint").collect()[0].rows, frames)
            rows = sum(int(one) for one in found)
        return round(rows / (time.monotonic() - begun))


def mysql_jdbc_rows_per_s(spark: SparkSession, stack: Path, contract: Contract, day: date) -> int:
    """Returns the same for MariaDB, started in the running stack of a folder and filled as its PostgreSQL is."""
    ends = LocalStack(stack).up(mysql=True)
    assert ends.mysql is not None  # noqa: S101  `mysql=True` promises it
    copy(ends.primary_url, ends.mysql.url, ends.mysql.password)
    return jdbc_rows_per_s(spark, load_settings(ends.mysql.settings).source, contract, day)


def main() -> int:
    """Measures both engines on a stack of its own and prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="payments in the table (default 1,000,000)")
    given = parser.parse_args()
    with ground(FOLDER / "jdbc", given.rows) as ends:
        contract, spark = load_contract(ROOT / "schemas" / "payments.yaml"), bench_session()
        jdbc_rows_per_s(spark, load_settings(ends.settings).source, contract, LAST_DAY)  # compiled, as in a long run
        postgres = jdbc_rows_per_s(spark, load_settings(ends.settings).source, contract, LAST_DAY)
        print(f"postgres_jdbc_rows_per_s {postgres:>12,}")
        print(f"mysql_jdbc_rows_per_s    {mysql_jdbc_rows_per_s(spark, ends.root, contract, LAST_DAY):>12,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
