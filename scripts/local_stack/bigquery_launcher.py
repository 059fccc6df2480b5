"""Runs local-bigquery so that partition decorators mean what they mean in BigQuery. Needs Python 3.13.

As it comes, a load into `table$20231101` succeeds and puts the rows into a new table of that very name. Here it
replaces that partition only and refuses rows of another day; copy, delete and get of a partition work too. A write that
truncates a whole table would otherwise drop its layout and make every column NULLABLE; here it replaces the rows, and a
table says when it was last written. An update of a view would change its description of the query and not its answers.
What BigQuery refuses of a table's names, descriptions, labels and clustering is refused (bigquery_refusals.py).
A write that truncates takes row access policies away, one that truncates data only keeps them.
A MERGE would fail on every table that demands a partition filter; here its ON condition may be that filter.
These semantics are ours: they prove our calls, not BigQuery. They patch private names of exactly version 0.3.2.

    python bigquery_launcher.py --host HOST --port PORT --grpc-port PORT --project PROJECT --data-dir DIR
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bigquery_light import answer_lightly, keep_plainly
from bigquery_memory import remember
from bigquery_refusals import name_problems, table_problems
from duckdb_extensions import import_extension
from local_bigquery import cli
from local_bigquery.catalog import metadata, names, row_access, tables
from local_bigquery.engine import database, results
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError, already_exists
from local_bigquery.jobs import copy, load, merge
from local_bigquery.jobs.query import translate_view
from local_bigquery.models import Table
from local_bigquery.sql.rules import tables as table_rules
from sqlglot import exp

remember()
Reference = tuple[str, str, str]
_DECORATED = re.compile(r"(?P<table>[^$]+)\$(?P<partition>\d{4}|\d{6}|\d{8}|\d{10})")
_FORMATS = {"YEAR": "%Y", "MONTH": "%Y%m", "DAY": "%Y%m%d", "HOUR": "%Y%m%d%H"}
_DIGITS = {"YEAR": 4, "MONTH": 6, "DAY": 8, "HOUR": 10}
_AT_MOST = {"YEAR": timedelta(366), "MONTH": timedelta(31), "DAY": timedelta(1), "HOUR": timedelta(hours=1)}
_write, _columns, _load, _delete, _update = tables.write, tables.columns, tables.load, tables.delete, tables.update
_create, _fields, _get, _condition = tables.create, names.fields, tables.get, row_access.predicate
_run_merge, _check, _merging = merge.run, table_rules._check, threading.local()  # noqa: SLF001 - as below
_source, _hive, _projection = copy._source, load._hive, load._projection  # noqa: SLF001 - what this launcher is for


def _split(reference: Reference) -> tuple[Reference, str | None]:
    found = _DECORATED.fullmatch(reference[2])
    return ((*reference[:2], found["table"]), found["partition"]) if found else (reference, None)


def _instant(partition: str, kind: str) -> datetime:
    return datetime.strptime(partition, _FORMATS[kind])  # noqa: DTZ007 - DuckDB is told UTC, and literals name no zone


def _within(table: Reference, partition: str) -> str:
    """Returns the SQL condition of the rows that belong to a partition, by which DuckDB passes over other blocks."""
    partitioning = _load(*table).timePartitioning
    if partitioning is None:
        raise BigQueryError("invalid", f"Cannot write to partition of non-partitioned table {names.label(*table)}")
    kind = partitioning.type or "DAY"
    try:
        first = _instant(partition if len(partition) == _DIGITS[kind] else "", kind)
    except ValueError:
        raise BigQueryError("invalid", f"Invalid partition id {partition} for {kind} partitioned table") from None
    after = _instant((first + _AT_MOST[kind]).strftime(_FORMATS[kind]), kind)
    column = quote(partitioning.field or tables.INGESTION_TIME)
    return f"({column} >= '{first}' AND {column} < '{after}')"


def _replaces_whole(table: Reference, relation: Any, disposition: str) -> bool:  # noqa: ANN401 - DuckDB's untyped relation
    """Tells whether a write replaces all rows of a table whose columns stay."""
    if disposition != "WRITE_TRUNCATE" or not tables.exists(*table):
        return False
    found = _load(*table)
    present = {field.name.casefold() for field in tables.fields(found)}
    return found.type == "TABLE" and present == {column.casefold() for column in relation.columns}


def _write_rows(  # the server's own signature
    cur: Any,  # noqa: ANN401 - DuckDB's untyped cursor
    query: str,
    params: dict[str, object] | None,
    reference: Reference,
    config: Any,  # noqa: ANN401 - the server's untyped job configuration
    default: str = "WRITE_EMPTY",
    prefix: str = "Invalid schema update. ",
    isolated: bool = False,  # noqa: FBT001, FBT002 - the server's own signature
) -> bool:
    """Writes the rows of a query; gives whether the table takes over the explicit schema of a load."""
    table, partition = _split(reference)
    if config.writeDisposition == "WRITE_TRUNCATE_DATA":
        config = config.replace(writeDisposition="WRITE_TRUNCATE")
    elif config.writeDisposition == "WRITE_TRUNCATE" and table in row_access.secured():
        row_access.delete(*table)
    disposition, relation = config.writeDisposition or default, cur.sql(query, params=params)
    if partition is None and not _replaces_whole(table, relation, disposition):
        return bool(_write(cur, query, params, reference, config, default, prefix, isolated))
    inside, name = _within(table, partition) if partition else "true", tables.name(*table)
    with database.writing(*table):
        # DuckDB 1.5.5 finds no row of a Parquet file WHERE {inside} IS NOT TRUE, as by its statistics all are outside
        others = f"SELECT count(*) - count(*) FILTER ({inside}) FROM ({query})"
        if partition and cur.execute(others, params).fetchone()[0]:
            raise BigQueryError(
                "invalid", f"Some rows belong to different partitions rather than destination partition {partition}"
            )
        cur.execute("BEGIN")
        try:
            if disposition == "WRITE_EMPTY" and cur.sql(f"SELECT 1 FROM {name} WHERE {inside} LIMIT 1").fetchone():
                raise already_exists("Table", names.label(*reference))
            tables.evolve(cur, table, relation, getattr(config, "schemaUpdateOptions", None), prefix)
            if disposition == "WRITE_TRUNCATE":
                cur.execute(f"DELETE FROM {name} WHERE {inside}")
            results.materialise(cur, query, name, params, append=True)
        except BaseException:
            cur.execute("ROLLBACK")
            raise
        cur.execute("COMMIT")
        tables.annotate(table, Table(lastModifiedTime=metadata.now()))
    return partition is None


def _describe(*reference: str) -> Any:  # noqa: ANN401 - the server's untyped table resource
    """Returns the resource of a table, also where one of its partitions is named."""
    return _load(*_split(reference)[0])  # type: ignore[arg-type]  # always three names


def _counted(project: str, dataset: str, name: str, *given: Any) -> Any:  # noqa: ANN401 - as above
    """Returns the resource of a table or of one partition with its exact row count; the estimate forgets deletes."""
    found = _get(project, dataset, name, *given)
    if found.type != "TABLE" or found.numRows is None or not found.schema_.fields:
        return found
    table, partition = _split((project, dataset, name))
    where = f" WHERE {_within(table, partition)}" if partition else ""
    return found.replace(numRows=str(database.fetch(f"SELECT count(*) FROM {tables.name(*table)}{where}")[0][0]))


def _remove(project: str, dataset: str, name: str) -> None:
    table, partition = _split((project, dataset, name))
    if partition is None:
        _delete(*table)
    else:
        database.execute(f"DELETE FROM {tables.name(*table)} WHERE {_within(table, partition)}")


def _update_with_view(project: str, dataset: str, name: str, body: Any, *given: Any) -> Any:  # noqa: ANN401 - as above
    """Updates a table's resource; a view answers from then on as its new query says."""
    _refuse(table_problems(body, tables.fields(body) or _columns(project, dataset, name)))
    if body.view:
        query = translate_view(project, dataset, body.view.query)
        database.execute(f"CREATE OR REPLACE VIEW {tables.name(project, dataset, name)} AS {query}")
    return _update(project, dataset, name, body, *given)


def _refuse(problems: Iterator[str]) -> None:
    for problem in problems:
        raise BigQueryError("invalid", problem)


def _check_fields(fields: list[Any]) -> None:
    _fields(fields)
    _refuse(name_problems(fields))


def _create_checked(project: str, dataset: str, body: Any, *given: Any) -> Any:  # noqa: ANN401 - as above
    _refuse(table_problems(body, tables.fields(body)))
    return _create(project, dataset, body, *given)


def _merge(cur: Any, tree: Any, context: Any) -> Any:  # noqa: ANN401 - the server's untyped statement
    """Runs a MERGE; a partition filter that its target demands must stand in the ON condition."""
    target = (*(part.name for part in tree.this.parts),)
    table = (*(context.project_id, context.dataset_id, "")[: 3 - len(target)], *target)
    found = _load(*table)
    if found.requirePartitionFilter:
        field = found.timePartitioning.field or "_PARTITIONTIME"
        if field not in {column.name for column in tree.args["on"].find_all(exp.Column)}:
            raise BigQueryError(
                "invalidQuery",
                f"Cannot query over table '{names.label(*table)}' without a filter over column(s) '{field}' "
                "that can be used for partition elimination",
            )
    _merging.target = table[-1]
    try:
        return _run_merge(cur, tree, context)
    finally:
        _merging.target = None


def _check_filter(tree: Any, table: Any, is_target: bool) -> None:  # noqa: ANN401, FBT001 - the server's own signature
    """Refuses a query without the partition filter that a table demands, but not the steps of a MERGE into it."""
    _check(tree, table, is_target or table.name == getattr(_merging, "target", None))


def _copied(reference: Reference) -> str:
    table, partition = _split(reference)
    if partition is None:
        return str(_source(reference))
    return f"(SELECT * FROM {tables.name(*table)} WHERE {_within(table, partition)})"


def _projected(config: Any, fields: Any, columns: Any) -> tuple[str, str]:  # noqa: ANN401 - the server's untyped values
    """Selects a load's columns; BYTES of a binary format are bytes already, and not base64 as in JSON or CSV."""
    if not fields or (config.sourceFormat or "CSV") in load.TEXT_FORMATS:
        found: tuple[str, str] = _projection(config, fields, columns)
        return found
    as_they_are = {field.name for field in fields if field.type == "BYTES" and field.mode != "REPEATED"}
    parts = [
        quote(field.name) if field.name in as_they_are else _projection(config, [field], columns)[0] for field in fields
    ]
    return ", ".join(parts), "false"


def _predicate(*reference: str) -> str | None:
    """Returns which rows a caller sees of a table; None where a policy of TRUE shows all, as a MERGE needs."""
    condition = _condition(*reference)
    return None if "(TRUE)" in (condition or "").split(" OR ") else condition


def _patch() -> None:
    tables.write = _write_rows
    tables.columns = lambda *reference: _columns(*_split(reference)[0])
    tables.load, tables.get = _describe, _counted
    tables.delete = _remove
    tables.update = _update_with_view
    tables.create = _create_checked
    names.fields = _check_fields
    row_access.predicate = _predicate
    merge.run = _merge
    table_rules._check = _check_filter  # noqa: SLF001 - what this launcher is for
    copy._source = _copied  # noqa: SLF001 - what this launcher is for
    load._projection = _projected  # noqa: SLF001 - as above
    # DuckDB reads columns out of key=value paths unasked; BigQuery does so only when told.
    load._hive = lambda config: _hive(config) or {"hive_partitioning": "false"}  # noqa: SLF001 - as above


def install_extensions() -> None:
    """Puts DuckDB's extensions from their wheels into its folder; without them it would try to download them."""
    for extension in ("icu", "ducklake", "spatial"):
        if not list(Path("~/.duckdb/extensions").expanduser().glob(f"*/*/{extension}.duckdb_extension")):
            import_extension(extension)


if __name__ == "__main__":
    install_extensions()
    keep_plainly()
    _patch()
    answer_lightly()
    cli.main(sys.argv[1:])
