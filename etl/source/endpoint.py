"""Connections to the ETL endpoint: psycopg for control, ADBC for rows; passwords stay in this process's memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from etl.errors import NO_ROW_READ, SettingsInvalid, SourceUnavailable
from etl.retries import pauses
from etl.settings import ReaderName, SourceSettings
from etl.source.ca import certificate_file
from etl.source.credentials import CredentialsRefused, Login, login, renew
from schemas.types import EngineName

APPLICATION: Final = "kagemusha"
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0
_DEAD_PEER: Final = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""Every NAT on the way keeps an idle session, and a peer that is gone is noticed within a minute."""
SESSION: Final = {
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "0",
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "iso_8601",  # exact, and the same whatever the server's own
    "jit": "off",
    "search_path": "pg_catalog,pg_temp",  # no object of a user can stand in for one of the server's
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "bytea_output": "hex",
    "row_security": "off",  # a policy on a table makes its queries fail instead of hiding rows
}

Connected = TypeVar("Connected")
Failure = tuple[bool, bool]
"""Whether the login was refused, and whether the server's certificate could not be verified."""


@dataclass(frozen=True)
class Endpoint:
    """How to reach one instance. It travels to workers and holds no password, only the reference to one.

    Attributes:
        user: empty where the secret names it.
        host: the name that TLS verifies.
        run_id: what the server's list of sessions shows next to our name.
        address: the instance's address, once the driver has pinned it; every later connection goes there.
        pinned: whether the driver has logged in already, so that a refused login is a change in the middle of the run.
    """

    user: str
    host: str
    port: int
    database: str
    options: tuple[tuple[str, str], ...]
    password: str | None
    local: bool
    connect_seconds: float
    statement_seconds: int
    run_id: str = ""
    address: str | None = None
    pinned: bool = False
    engine: EngineName = "postgres"
    reader: ReaderName = "adbc"

    @classmethod
    def of(cls, source: SourceSettings, run_id: str = "") -> Endpoint:
        """Returns the endpoint that the settings describe."""
        parts = urlsplit(source.url)
        return cls(
            user=unquote(parts.username or ""),
            host=parts.hostname or "",
            port=parts.port or (3306 if source.engine == "mysql" else 5432),
            database=unquote(parts.path.strip("/")),
            options=tuple(parse_qsl(parts.query)),
            password=source.password,
            local=source.local,
            connect_seconds=source.connect_seconds,
            statement_seconds=source.statement_seconds,
            run_id=run_id,
            engine=source.engine,
            reader=source.rows_by,
        )

    @property
    def url_options(self) -> dict[str, str]:
        """The options of the URL; certificates of the package are a file of this process."""
        options = dict(self.options)
        if "sslrootcert" in options:
            options["sslrootcert"] = certificate_file(options["sslrootcert"])
        return options

    @property
    def place(self) -> dict[str, object]:
        """What errors say about where it is."""
        return {"host": self.host, "port": self.port, "database": self.database}

    @property
    def application(self) -> str:
        """What the server's list of sessions calls ours."""
        return f"{APPLICATION} {self.run_id}".rstrip()

    def login(self) -> Login:
        """Returns user and password for one connection. It must not be printed, logged or kept."""
        return login(self.password, self.user, self.host, self.port)

    def conninfo(self) -> str:
        """Returns the libpq URL, with the password where one is set. It must not be printed, logged or kept."""
        session = {"statement_timeout": str(self.statement_seconds * 1000), **SESSION}
        options = {
            "connect_timeout": "10",
            **_DEAD_PEER,
            **self.url_options,
            "application_name": self.application,
            "client_encoding": "UTF8",
            "sslmode": "prefer" if self.local else "verify-full",
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        }
        if self.address:
            options["hostaddr"] = self.address
        who = self.login()
        name = quote(who.user, safe="") + (f":{quote(who.password, safe='')}" if who.password else "")
        query = urlencode(options, quote_via=quote)  # libpq takes a plus sign for one
        return f"postgresql://{name}@{self.host}:{self.port}/{quote(self.database, safe='')}?{query}"


def patiently(
    endpoint: Endpoint,
    connect: Callable[[], Connected],
    told: Callable[[Exception], Failure],
    foreign: tuple[type[Exception], ...],
) -> Connected:
    """Connects, as often as it takes a sleeping reader to wake up; a refused password is read anew once.

    Args:
        endpoint: where to, and how long to try.
        connect: tries once.
        told: tells of a failure whether the login was refused, and whether the server could not be verified.
        foreign: the failures that the driver raises; their texts are not repeated.
    """
    waits = pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, time.monotonic() + endpoint.connect_seconds)
    renewed = False
    while True:
        try:
            return connect()
        except foreign as error:
            refused, unverified = told(error)
        if refused and not renewed and renew(endpoint.password):
            renewed = True
            continue
        if refused:
            raise refused_login(endpoint)
        if unverified:
            raise SettingsInvalid(
                "The database's TLS certificate could not be verified.",
                not_done=NO_ROW_READ,
                advice="Name the CA bundle in [source].url: ?sslrootcert=/path/to/global-bundle.pem.",
                where=endpoint.place,
            )
        pause = next(waits, None)
        if pause is None:
            raise SourceUnavailable(
                f"The database did not answer within {endpoint.connect_seconds:g} s.",
                not_done=NO_ROW_READ,
                where=endpoint.place,
            )
        time.sleep(pause)


def refused_login(endpoint: Endpoint) -> CredentialsRefused | SourceUnavailable:
    """Returns the error of a refused login; in the middle of a run it is transient: the next run may succeed."""
    where = {**endpoint.place, "user": endpoint.user}
    if endpoint.pinned:
        return SourceUnavailable(
            "The database refuses the login that it took when the run began.", not_done=NO_ROW_READ, where=where
        )
    return CredentialsRefused("The database refused the login.", not_done=NO_ROW_READ, where=where)
