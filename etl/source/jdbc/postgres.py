"""How Spark JDBC reaches PostgreSQL, where `reader = "jdbc"` asks for it: in the same snapshot, with the same proof."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from etl.source.dialect import POSTGRES, ReadColumn
from etl.source.endpoint import SESSION, Endpoint
from etl.source.jdbc.address import JdbcAddress
from etl.source.snapshot import Snapshot

DRIVERS: Final = ("org.postgresql.Driver",)
NO_READER: Final = "KGM01"
"""The SQLSTATE with which a session that is not on a reader ends itself."""
_TEXT: Final = {
    "numeric": "{}::text",
    "date": "{}::text",
    "datetime": "{}::text",
    "timestamp": "({} AT TIME ZONE 'UTC')::text",
    "bool": "{}::int",
}
_PROOF: Final = (
    "DO $$BEGIN IF NOT pg_is_in_recovery() THEN"
    f" RAISE EXCEPTION 'not on a reader' USING ERRCODE = '{NO_READER}'; END IF; END$$"
)


def expression(column: ReadColumn) -> str:
    """Returns the expression that hands a column over in a form that no driver can get wrong."""
    spelling = _TEXT.get(column.type.name)
    return spelling.format(POSTGRES.quoted(column.name)) if spelling else POSTGRES.expression(column)


def address_of(snapshot: Snapshot, _driver: str) -> JdbcAddress:
    """Returns the address of what a run reads; there is one driver.

    A snapshot lives on one instance. Outside the local stack the host's name is kept for TLS to verify, so name an
    instance endpoint in the settings: where a name resolves to another instance, the snapshot cannot be joined.

    Raises:
        CredentialsRefused, SourceUnavailable: see `login`.
    """
    endpoint = snapshot.endpoint
    who, given = endpoint.login(), dict(endpoint.options)
    session = {"statement_timeout": str(endpoint.statement_seconds * 1000), **SESSION}
    session.pop("timezone")  # the driver sets its own, and no value depends on it
    options = {
        "ApplicationName": endpoint.application,
        "logServerErrorDetail": "false",  # details quote rows, and Spark writes what ends a task into its log
        "sslmode": "prefer" if endpoint.local else "verify-full",
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        **({"sslrootcert": given["sslrootcert"]} if "sslrootcert" in given else {}),
    }
    listed = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    host = (endpoint.address if endpoint.local else None) or endpoint.host
    join = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot.name}'"
    return JdbcAddress(
        f"jdbc:postgresql://{host}:{endpoint.port}/{quote(endpoint.database, safe='')}?{listed}",
        {"user": who.user, "sessionInitStatement": f"{join}; {_PROOF}"},
        who.password or _of_passfile(endpoint),
    )


def _of_passfile(endpoint: Endpoint) -> str:
    """Returns the password that libpq would find; the JDBC driver looks elsewhere."""
    path = Path(dict(endpoint.options).get("passfile", ""))
    wanted = (endpoint.host, str(endpoint.port), endpoint.database, endpoint.user)
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        *place, password = line.split(":")
        if len(place) == len(wanted) and all(map(_matches, wanted, place)):
            return password
    return ""


def _matches(ours: str, theirs: str) -> bool:
    return theirs in {"*", ours}
