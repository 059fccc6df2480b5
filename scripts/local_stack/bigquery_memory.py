"""Lets local-bigquery remember what its requests ask again and again, where BigQuery itself would not be slow.

As it comes, every request asks DuckDB a dozen times what tables and columns there are, and each query lists all tables
that ever held results. What is remembered is forgotten when a statement changes it, and only this process changes its
files.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any, Final

from bigquery_jobs import keep_jobs, write_if_asked_for
from local_bigquery.catalog import datasets, metadata, row_access, tables
from local_bigquery.engine import database
from local_bigquery.models import RowAccessPolicy
from local_bigquery.sql.rules import partitions

Key = tuple[Any, ...]
_CHANGE: Final = re.compile(
    r"\s*(?:CREATE (?:OR REPLACE )?(?:TABLE|VIEW)|DROP (?:TABLE|VIEW)|ALTER TABLE)(?: IF (?:NOT )?EXISTS)? "
    r'"(?P<project>[^"]+)"\."(?P<dataset>[^"]+)"\."(?P<table>[^"]+)"'
)
_TEMPORARY: Final = "SELECT table_name FROM duckdb_tables() WHERE temporary"
_connection, _objects, _columns = database.connection, database.objects, tables.columns
_list, _save, _delete, _exists = metadata.list_, metadata.save, metadata.delete, datasets.exists
_hidden, _secured = partitions._hidden, row_access.secured  # noqa: SLF001 - what this module is for


class _Memory:
    """Answers by key, whose parts lead from the whole to the single: project, dataset, table."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._answers: dict[Key, Any] = {}
        self._changes = 0

    def recall(self, key: Key, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - the server's untyped answers
        """Returns the answer of this key, which is asked for where it is not known."""
        with self._guard:
            if key in self._answers:
                return self._answers[key]
            before = self._changes
        found = ask()
        with self._guard:
            if before == self._changes:  # otherwise the answer may be older than the change
                self._answers[key] = found
        return found

    def forget(self, *of: Any) -> None:  # noqa: ANN401 - the parts of a key
        """Forgets what is known of what has this key, of its parts, and of what it is a part of; without a key, all."""
        with self._guard:
            self._changes += 1
            for key in list(self._answers):
                common = min(len(key), len(of))
                if key[:common] == of[:common]:
                    del self._answers[key]


_catalog, _listings, _resources = _Memory(), _Memory(), _Memory()


def _forget(*of: str) -> None:
    _catalog.forget(*of)
    _listings.forget(*of)


def _forget_resources(model: Any, *keys: str) -> None:  # noqa: ANN401 - the server's untyped resources
    _resources.forget(model, *keys)
    _listings.forget(model)


class _NoRows:
    """An empty relation."""

    def fetchall(self) -> list[Any]:
        """Returns no row."""
        return []


class _Cursor:
    """A cursor of DuckDB that notices what changes the catalog, at once or with the end of its transaction."""

    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - DuckDB's untyped cursor
        self._cursor = cursor
        self._has_temporary = self._has_changed = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._cursor, name)

    def execute(self, sql: str, *given: Any, **named: Any) -> _Cursor:  # noqa: ANN401 - as above
        """Runs a statement."""
        write_if_asked_for(sql)
        try:
            self._cursor.execute(sql, *given, **named)
        finally:
            self._notice(sql)
        return self

    def sql(self, sql: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
        """Returns a relation; that a fresh cursor has no temporary tables needs no look at all the others."""
        if sql == _TEMPORARY and not self._has_temporary:
            return _NoRows()
        write_if_asked_for(sql)
        try:
            return self._cursor.sql(sql, *given, **named)
        finally:
            self._notice(sql)

    def _notice(self, sql: str) -> None:
        word = sql.lstrip()[:8].upper()
        if word.startswith(("COMMIT", "ROLLBACK")) and self._has_changed:
            _forget()  # until now, others saw what was there before
        if not word.startswith(("CREATE", "DROP", "ALTER", "ATTACH")):
            return
        self._has_changed = True
        self._has_temporary = self._has_temporary or " TEMP" in sql.upper()
        found = _CHANGE.match(sql)
        if found is None:
            _forget()
        elif found["project"] != "emulator":  # where results are
            _forget(found["project"], found["dataset"], found["table"])


class _Connection:
    """DuckDB's connection, whose cursors notice changes."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - DuckDB's untyped connection
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._connection, name)

    def cursor(self) -> _Cursor:
        """Returns another cursor."""
        return _Cursor(self._connection.cursor())


def _known_objects(project: str, dataset: str, table: str | None = None) -> Any:  # noqa: ANN401 - as above
    if table is None:
        return _listings.recall((project, dataset), lambda: _objects(project, dataset))
    if project == "emulator":
        return _results(dataset, table)
    return _catalog.recall((project, dataset, table, "kind"), lambda: _objects(project, dataset, table))


def _results(dataset: str, table: str) -> list[tuple[str, str, int]]:
    """Returns the results of a query, always a table, as a listing would; that lists thousands of others."""
    try:
        ((rows,),) = database.fetch(f"SELECT count(*) FROM {database.quote('emulator', dataset, table)}")
    except database.duckdb.CatalogException:
        return []
    return [(table, "TABLE", rows)]


def _known_hidden(table: Any) -> bool:  # noqa: ANN401 - the server's untyped table of a statement
    key = (table.catalog, table.db, table.name, "hidden")
    return bool(_catalog.recall(key, lambda: _hidden(table))) if all(key) else bool(_hidden(table))


def _known_secured() -> Any:  # noqa: ANN401 - as above
    return _listings.recall((RowAccessPolicy,), _secured)


def _known_columns(project: str, dataset: str, table: str) -> list[Any]:
    if dataset == tables.RESULTS:
        return list(_columns(project, dataset, table))
    return list(_catalog.recall((project, dataset, table, "columns"), lambda: _columns(project, dataset, table)))


def _known_dataset(project: str, dataset: str) -> bool:
    return bool(_catalog.recall((project, dataset), lambda: _exists(project, dataset)))


def _known_resources(model: Any, *keys: str) -> list[Any]:  # noqa: ANN401 - the server's untyped resources
    found = _resources.recall((model, *keys), lambda: [json.dumps(one.dump()) for one in _list(model, *keys)])
    return [model.model_validate_json(one) for one in found]


def _saved(resource: Any, *keys: str) -> Any:  # noqa: ANN401 - as above
    try:
        return _save(resource, *keys)
    finally:
        _forget_resources(type(resource), *keys)


def _deleted(model: Any, *keys: str) -> None:  # noqa: ANN401 - as above
    try:
        _delete(model, *keys)
    finally:
        _forget_resources(model, *keys)


def remember() -> None:
    """Lets the server remember, from its start on."""
    database.connection = lambda: _Connection(_connection())
    database.objects, tables.columns, datasets.exists = _known_objects, _known_columns, _known_dataset
    metadata.list_, metadata.save, metadata.delete = _known_resources, _saved, _deleted
    partitions._hidden, row_access.secured = _known_hidden, _known_secured  # noqa: SLF001 - as above
    keep_jobs()
