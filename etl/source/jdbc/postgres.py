"""How Spark JDBC reaches PostgreSQL, where `reader = "jdbc"` asks for it: in the same snapshot, with the same proof."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from etl.source.catalogue import Definition
from etl.source.dialect import POSTGRES, ReadColumn
from etl.source.endpoint import SESSION, Endpoint
from etl.source.jdbc.address import JdbcAddress
from etl.source.postgres.definition import literal, present_sql
from etl.source.postgres.guard import READS_ONLY_SQL
from etl.source.snapshot import Snapshot

DRIVERS: Final = ("org.postgresql.Driver",)
NO_READER: Final = "KGM01"
"""The SQLSTATE with which a session that is not on a reader ends itself."""
OTHER_RELATION: Final = "KGM02"
"""The SQLSTATE with which a session ends itself whose relation is not the planned one."""
_TEXT: Final = {
    "numeric": "{}::text",
    "date": "{}::text",
    "datetime": "{}::text",
    "timestamp": "({} AT TIME ZONE 'UTC')::text",
    "bool": "{}::int",
}


def expression(column: ReadColumn) -> str:
    """Returns the expression that hands a column over in a form that no driver can get wrong."""
    spelling = _TEXT.get("datetime" if column.type.zone else column.type.name)
    return spelling.format(POSTGRES.column(column.at_source)) if spelling else POSTGRES.expression(column)


def address_of(snapshot: Snapshot, _driver: str, definition: Definition | None = None) -> JdbcAddress:
    """Returns the address of what a run reads; there is one driver.

    A snapshot lives on one instance. Outside the local stack the host's name is kept for TLS to verify, so name an
    instance endpoint in the settings: where a name resolves to another instance, the snapshot cannot be joined.

    Raises:
        CredentialsRefused, SourceUnavailable: see `login`.
    """
    endpoint = snapshot.endpoint
    who, given = endpoint.login(), endpoint.url_options
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
        {"user": who.user, "sessionInitStatement": f"{join}; {proof_sql(definition)}"},
        who.password or _of_passfile(endpoint),
    )


def proof_sql(definition: Definition | None) -> str:
    """Returns the statement by which a session ends itself unless it is on a reader and reads what was planned."""
    refused = f"RAISE EXCEPTION 'not on a reader' USING ERRCODE = '{NO_READER}'"
    proofs = [f"IF NOT ({READS_ONLY_SQL}) THEN {refused}; END IF;"]
    if definition is not None:
        planned = f"identity = {literal(definition.identity)} AND digest = {literal(definition.digest)}"
        proofs += [
            f"PERFORM FROM {POSTGRES.quoted(definition.table)} LIMIT 0;",  # locks it to the end of the transaction
            f"IF NOT EXISTS (SELECT FROM ({present_sql(definition)}) AS now WHERE {planned}) THEN",
            f"RAISE EXCEPTION 'another relation' USING ERRCODE = '{OTHER_RELATION}'; END IF;",
        ]
    body = f"BEGIN {' '.join(proofs)} END"
    return f"DO {literal(body)}"


def _of_passfile(endpoint: Endpoint) -> str:
    """Returns the password that libpq would find; the JDBC driver looks elsewhere."""
    path = Path(endpoint.url_options.get("passfile", ""))
    wanted = (endpoint.host, str(endpoint.port), endpoint.database, endpoint.user)
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        *place, password = line.split(":")
        if len(place) == len(wanted) and all(map(_matches, wanted, place)):
            return password
    return ""


def _matches(ours: str, theirs: str) -> bool:
    return theirs in {"*", ours}
