"""The way to the reader, tried without a session: workers prove it before any of them asks for a row."""

from __future__ import annotations

import socket

from etl.errors import NO_ROW_READ, SourceUnavailable
from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint

_SECONDS = 10.0


def reach(source: SourceSettings) -> None:
    """Proves that the password can be read here, and that the reader's name and port answer.

    Raises:
        CredentialsRefused: the password is not where the settings say.
        SourceUnavailable: the name is unknown here, or nothing answers.
    """
    endpoint = Endpoint.of(source)
    endpoint.login()
    try:
        socket.create_connection((endpoint.host, endpoint.port), min(_SECONDS, source.connect_seconds)).close()
    except OSError as error:
        kind = type(error).__name__
    else:
        return
    raise SourceUnavailable(
        f"The way to the database is closed: {kind}.",
        not_done=NO_ROW_READ,
        advice="Check DNS, routes and security groups between the workers and the endpoint.",
        where=endpoint.place,
    )
