"""Asks the stack's own HTTP servers: is it there, and please create this."""

from __future__ import annotations

import http.client
import json

from scripts.local_stack.processes import LOOPBACK, LocalStackFailed

_PATIENCE = 10.0


def answers(port: int | None, path: str) -> bool:
    """Tells whether a server on a loopback port answers a GET with 200."""
    if port is None:
        return False
    try:
        return _request(port, "GET", path)[0] == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def create(port: int | None, path: str, resource: dict[str, object]) -> None:
    """Posts a resource to a Google-like API; one that exists already is fine."""
    status, _ = _request(port or 0, "POST", path, json.dumps(resource))
    if status not in (http.client.OK, http.client.CREATED, http.client.CONFLICT):
        raise LocalStackFailed(
            f"{path} answered {status}.", not_done="The local stack is not ready.", where={"port": port}
        )


def _request(port: int, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_PATIENCE)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
