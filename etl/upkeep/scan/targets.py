"""What a person names to be scanned: a file or a folder, a `gs://` prefix, a BigQuery dataset or table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

import pyarrow as pa
from google.api_core import exceptions as google_errors
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from requests import exceptions as http_errors

from etl.cloud.bigquery import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.errors import SettingsInvalid
from etl.plan import mask_plan
from etl.settings import Settings
from etl.upkeep.scan.places import Place, Unreadable
from etl.upkeep.scan.streams import Open, flat, ways
from schemas.contract import Contract

_DATASET: Final = re.compile(r"(?P<dataset>[A-Za-z_][A-Za-z0-9_]*)(?:\.(?P<table>[A-Za-z_][A-Za-z0-9_]*))?")
_FAILURES: Final = (google_errors.GoogleAPIError, GoogleAuthError, http_errors.RequestException)
_PAGE_ROWS: Final = 20_000
AnyTable = bigquery.table.TableListItem | bigquery.Table
_NOT_SCANNED: Final = "Nothing was scanned."


def local_places(path: Path) -> Iterator[Place]:
    """Yields a file, or every file of a folder and its folders; what is none, or cannot be entered, says so."""
    if path.is_file():
        yield _file(str(path), partial(_open, path))
        return
    closed: list[OSError] = []
    for folder, folders, files in os.walk(path, onerror=closed.append):
        folders.sort()
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for place in sorted(Path(folder) / name for name in (*files, *links)):
            if place.is_file():
                yield _file(str(place), partial(_open, place))
            else:
                yield _unread(str(place), "It is no regular file, and links to folders are not followed.")
    for error in closed:
        yield _unread(str(error.filename), f"It cannot be read ({type(error).__name__}).")


def _open(file: Path) -> BinaryIO:
    return file.open("rb")


def object_places(uri: str, settings: Settings) -> Iterator[Place]:
    """Yields every object under a `gs://bucket/prefix`."""
    parts = urlsplit(uri)
    target = replace(StagingLocation.of(settings), bucket=parts.netloc, prefix="")
    stage = StagingBucket(target)
    for stored in stage.stored(parts.path.removeprefix("/")):
        yield _file(target.uri(stored.name), partial(stage.open, stored.name))


def table_places(name: str, settings: Settings, contracts: Mapping[str, Contract]) -> Iterator[Place]:
    """Yields every table and view of a BigQuery dataset, or one; what a contract lets a column look like is allowed."""
    found = _DATASET.fullmatch(name)
    warehouse = Warehouse.of(settings)
    allowed = {contract.publish: mask_plan(contract, date.min).allowed for contract in contracts.values()}
    for table in _tables(warehouse, found["dataset"], found["table"]) if found else ():
        label = f"{table.dataset_id}.{table.table_id}"
        yield Place(label, (partial(_rows, warehouse, table),), allowed.get(label, {}))


def _file(name: str, opened: Open) -> Place:
    """Returns a file as a place; one that cannot be opened says so in its turn, and the others are still scanned."""
    problem = ""
    try:
        return Place(name, ways(name, opened))
    except Unreadable as error:
        problem = error.what
    except OSError as error:
        problem = f"It cannot be read ({type(error).__name__})."
    return _unread(name, problem)


def _unread(name: str, problem: str) -> Place:
    def unreadable() -> Iterator[pa.RecordBatch]:
        raise Unreadable(problem, not_done="It was not scanned.")

    return Place(name, (unreadable,))


def _tables(warehouse: Warehouse, dataset: str, table: str | None) -> list[AnyTable]:
    with translated("Tables could not be listed", _NOT_SCANNED), suppress(google_errors.NotFound):
        if table:
            return [warehouse.client.get_table(warehouse.table_id(f"{dataset}.{table}"), retry=RETRY)]
        return list(warehouse.client.list_tables(dataset, timeout=TIMEOUT_SECONDS, retry=RETRY))
    raise SettingsInvalid(
        "There is no file, folder, dataset or table of that name.",
        not_done=_NOT_SCANNED,
        advice="Name a file, a gs:// prefix, DATASET or DATASET.TABLE.",
    )


def _rows(warehouse: Warehouse, table: AnyTable) -> Iterator[pa.RecordBatch]:
    failure = ""
    client = warehouse.client
    try:
        if table.table_type == "TABLE":
            rows = client.list_rows(table, page_size=_PAGE_ROWS, timeout=TIMEOUT_SECONDS, retry=RETRY)
        else:
            sql = f"SELECT * FROM `{table.project}.{table.dataset_id}.{table.table_id}`"
            rows = client.query_and_wait(sql, page_size=_PAGE_ROWS, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
        for batch in rows.to_arrow_iterable():
            yield flat(batch)
    except _FAILURES as error:
        failure = f"BigQuery did not give its rows ({type(error).__name__})."
    if failure:
        raise Unreadable(failure, not_done="It was not scanned to its end.")
