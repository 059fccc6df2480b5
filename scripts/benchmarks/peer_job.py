"""One load by another tool, unmasked, in an environment that has the tool and nothing of ours.

Reads its task as JSON from stdin (`peer`, `url`, `schema`, `table`, `columns`, `folder`), writes rows and seconds as
the last line of stdout. Time is counted from the first call of the tool to its end; imports are not.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE_ROWS = 100_000

Task = dict[str, Any]  # as JSON has it


def dlt_job(task: Task, backend: str, **options: object) -> None:
    """Loads by dlt's sql_table into Parquet files of a folder; extract, normalize and load, as its users run it."""
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL")
    import dlt
    from dlt.sources.sql_database import sql_table

    table = sql_table(
        credentials=task["url"].replace("://", "+psycopg2://", 1),
        schema=task["schema"],
        table=task["table"],
        backend=backend,
        chunk_size=PAGE_ROWS,
        included_columns=task["columns"],
        **options,
    )
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{task['folder']}/state",
        destination=dlt.destinations.filesystem(bucket_url=f"file://{task['folder']}"),
        dataset_name="written",
    )
    pipeline.run(table, loader_file_format="parquet").raise_on_failed_jobs()


def dlt_connectorx(task: Task) -> None:
    """Loads by dlt with ConnectorX, which hands over the whole table as Arrow."""
    dlt_job(task, "connectorx", backend_kwargs={"conn": task["url"]})


def dlt_pyarrow(task: Task) -> None:
    """Loads by dlt with its pyarrow backend: rows by SQLAlchemy and psycopg2, made Arrow by pages."""
    dlt_job(task, "pyarrow")


def duckdb_postgres(task: Task) -> None:
    """Loads by DuckDB's postgres scanner, on all cores, into one zstd Parquet file."""
    import duckdb
    from duckdb_extensions import import_extension

    import_extension("postgres_scanner")
    Path(task["folder"], "written").mkdir()
    connection = duckdb.connect()
    connection.load_extension("postgres_scanner")
    connection.execute(f"ATTACH '{task['url']}' AS source (TYPE postgres, READ_ONLY)")
    chosen = ", ".join(f'"{name}"' for name in task["columns"])
    connection.execute(
        f"COPY (SELECT {chosen} FROM source.{task['schema']}.{task['table']}) "
        f"TO '{task['folder']}/written/{task['table']}.parquet' (FORMAT parquet, COMPRESSION zstd)"
    )


JOBS = {"dlt_connectorx": dlt_connectorx, "dlt_pyarrow": dlt_pyarrow, "duckdb": duckdb_postgres}
MODULES = {"dlt_connectorx": "dlt.sources.sql_database", "dlt_pyarrow": "dlt.sources.sql_database", "duckdb": "duckdb"}


def main() -> None:
    """Runs the job that stdin asks for."""
    parquet = import_module("pyarrow.parquet")
    task = json.load(sys.stdin)
    import_module(MODULES[task["peer"]])
    begun = time.monotonic()
    JOBS[task["peer"]](task)
    seconds = time.monotonic() - begun
    files = [one for one in Path(task["folder"], "written").rglob("*.parquet") if task["table"] in str(one)]
    rows = sum(parquet.read_metadata(one).num_rows for one in files)
    size = sum(one.stat().st_size for one in files)
    print(json.dumps({"rows": rows, "seconds": seconds, "bytes": size}))


if __name__ == "__main__":
    main()
