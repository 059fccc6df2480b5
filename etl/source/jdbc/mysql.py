"""How Spark JDBC reaches MySQL: address, login, and the statement that proves and prepares each session."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from etl.source.catalogue import Definition
from etl.source.dialect import MYSQL, ReadColumn
from etl.source.jdbc.address import JdbcAddress
from etl.source.mysql.guard import MySqlReader, session_sql
from etl.source.snapshot import Snapshot

DRIVERS: Final = ("org.mariadb.jdbc.Driver", "com.mysql.cj.jdbc.Driver")
"""What may be on Spark's class path: MariaDB's driver (as the local stack has it) or MySQL's own (as Glue has it)."""


def expression(column: ReadColumn) -> str:
    """Returns the expression that hands a column over in a form that no driver can get wrong."""
    return MYSQL.expression(column)


def address_of(snapshot: Snapshot, driver: str, _definition: Definition | None = None) -> JdbcAddress:
    """Returns the address of what a run reads, as a driver spells it; definitions are compared before and after.

    Raises:
        CredentialsRefused, SourceUnavailable: see `login`.
    """
    endpoint, given = snapshot.endpoint, dict(snapshot.endpoint.options)
    who = endpoint.login()
    options = {"useCursorFetch": "true", "characterEncoding": "UTF-8", "connectTimeout": "10000"}
    if not endpoint.local and driver == DRIVERS[0]:
        options |= {"useSsl": "true", "disableSslHostnameVerification": "false"}
        options |= {"serverSslCert": given["sslrootcert"]} if "sslrootcert" in given else {}
    elif not endpoint.local:
        options |= {"sslMode": "VERIFY_IDENTITY"}
        options |= {"trustCertificateKeyStoreUrl": f"file:{given['truststore']}"} if "truststore" in given else {}
    listed = "&".join(f"{name}={quote(value, safe='/:')}" for name, value in options.items())
    # `jdbc:mariadb:` would make Spark quote columns as strings, and a condition on a string is true.
    url = f"jdbc:mysql://{endpoint.host}:{endpoint.port}/{quote(endpoint.database, safe='')}?{listed}"
    properties = {"user": who.user}
    if isinstance(snapshot.reader, MySqlReader):
        properties["sessionInitStatement"] = session_sql(snapshot.reader, endpoint.statement_seconds)
    return JdbcAddress(url, properties, who.password or "")
