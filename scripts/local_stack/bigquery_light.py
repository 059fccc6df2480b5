"""Lets local-bigquery do less for each request and statement, where BigQuery itself would not be slow.

As it comes, it keeps a project in DuckLake, which asks its own tables a dozen questions a statement and reads them anew
after each change; it lists all tables that ever were to look at one; and each request costs a task, two streams and a
line of a log. That made three fifths of its work.
"""

from __future__ import annotations

import functools
import gc
import importlib.util
import sys
from typing import Any, Final

from local_bigquery import cli
from local_bigquery.catalog import row_access
from local_bigquery.engine import database
from local_bigquery.engine.database import quote
from local_bigquery.settings import settings
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware

_COLUMNS: Final = "duckdb_columns()"
_IS_VIEW: Final = (
    "SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ? AND NOT internal"
)
_NAMED: Final = "'{0}' AS database_name, '{1}' AS schema_name, '{2}'"
_OF_ONE: Final = {
    "duckdb_tables()": f"(SELECT {_NAMED} AS table_name, count(*) AS estimated_size FROM {{table}})",
    "duckdb_views()": f"(SELECT {_NAMED} AS view_name, false AS internal LIMIT 0)",
    _COLUMNS: f"""(
        SELECT {_NAMED} AS table_name, name AS column_name, NOT "notnull" AS is_nullable
        FROM pragma_table_info('{{table}}'))""",
}
"""DuckDB's listings of everything, and the same of one table: results are kept in as many as there were queries."""
_RESULTS: Final = "emulator"
_connect, _fetch = database._connect, database.fetch  # noqa: SLF001 - what this module is for


def _fetch_of_one(sql: str, params: Any = None) -> list[Any]:  # noqa: ANN401 - DuckDB's untyped parameters
    """Asks a question; one about a single table does not list all the others, of which there are thousands."""
    listings, named = [listing for listing in _OF_ONE if listing in sql], list(params or ())[:3]
    if not listings or not all(named):
        return list(_fetch(sql, params))
    table = quote(*named)
    if named[0] != _RESULTS and _fetch(_IS_VIEW, named):  # results are tables, which make a list of views long
        listings = [listing for listing in listings if listing == _COLUMNS]
    else:
        try:
            _fetch(f"SELECT 1 FROM {table} LIMIT 0")
        except database.duckdb.CatalogException:
            return []
    for listing in listings:
        sql = sql.replace(listing, _OF_ONE[listing].format(*named, table=table))
    return list(_fetch(sql, params))


def _attach_plain(con: Any, project: str) -> None:  # noqa: ANN401 - DuckDB's untyped connection
    """Keeps a project in a file of DuckDB itself: DuckLake asks its own tables a dozen questions a statement."""
    con.execute(f"ATTACH IF NOT EXISTS '{settings.data_dir / project}.duckdb' AS {quote(project)}")
    database._attached.add(project)  # noqa: SLF001 - as above


@functools.cache
def _connect_single_threaded() -> Any:  # noqa: ANN401 - DuckDB's untyped connection
    """Opens the database; its many tiny queries of the catalog cost half as much where no thread waits for another."""
    connection = _connect()
    connection.execute("SET threads = 1")
    return connection


class _Caller:
    """Knows who asks, as the server's own middleware does, without a task and two streams for each request."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - the server's untyped application
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as above
        """Answers a request."""
        authorization = dict(scope.get("headers", ())).get(b"authorization", b"").decode("latin-1")
        before = row_access.caller.set(row_access.identify(authorization or None))
        try:
            await self._app(scope, receive, send)
        finally:
            row_access.caller.reset(before)


def keep_plainly() -> None:
    """Keeps projects in files of DuckDB, and asks it no more than is needed."""
    database._connect = _connect_single_threaded  # noqa: SLF001 - as above
    database._attach = _attach_plain  # noqa: SLF001 - as above
    database.projects = lambda: sorted(database._attached)  # noqa: SLF001 - as above
    database.fetch = _fetch_of_one


def answer_lightly() -> None:
    """Spares what each request would do in vain; after all other changes, because the server's modules import them."""
    if importlib.util.find_spec("pandas") is None:
        sys.modules["pandas"] = None  # type: ignore[assignment]  # DuckDB looks for it on disk with every parameter
    from local_bigquery.app import app  # noqa: PLC0415 - as the docstring says

    own = [one for one in app.user_middleware if one.cls is BaseHTTPMiddleware]
    app.user_middleware[app.user_middleware.index(own[0])] = Middleware(_Caller)
    cli.uvicorn.run = functools.partial(cli.uvicorn.run, access_log=False)
    gc.freeze()  # what was imported stays
    gc.set_threshold(50_000, 20, 20)  # an answer leaves little that only a search would find
