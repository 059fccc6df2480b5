"""An HTTP reverse proxy between the job and a server, which does wrong exactly where it is told to.

A rule names a request by method, path, body and how often it has come; a fault says what happens to it instead. What
no rule names passes unchanged. Tools for writing faults: answer, forward, relay, reset, and who sent the request.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

_PATIENCE: Final = 120
_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_REASONS: Final = {
    400: "invalid",
    401: "authError",
    403: "accessDenied",
    404: "notFound",
    409: "duplicate",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
    500: "internalError",
    502: "badGateway",
    503: "backendError",
}
"""What Google's servers call a status unless they say more."""

Headers = list[tuple[str, str]]
Fault = Callable[["Exchange"], None]
Witness = Callable[[str, str, bytes], None]
"""Hears method, path and body of a request that the server has answered, before its sender hears of it."""


@dataclass(frozen=True)
class Answer:
    """What a server answers."""

    status: int
    headers: Headers
    body: bytes


@dataclass
class Rule:
    """Which requests are disturbed, and how.

    Attributes:
        method: regular expression of the whole method.
        path: regular expression found in path and query.
        fault: what happens.
        body: regular expression found in the body; empty: any.
        first: the how manieth matching request is the first disturbed one, from 1.
        times: how many are disturbed from there on.
    """

    method: str
    path: str
    fault: Fault
    body: str = ""
    first: int = 1
    times: int = 1
    seen: int = 0
    fired: int = 0
    _guard: Any = field(default_factory=threading.Lock, repr=False, compare=False)

    def takes(self, method: str, path: str, body: bytes) -> bool:
        """Counts a request if it matches, and tells whether it is to be disturbed."""
        if not (re.fullmatch(self.method, method) and re.search(self.path, path)):
            return False
        if self.body and not re.search(self.body.encode(), body):
            return False
        with self._guard:
            self.seen += 1
            due = self.first <= self.seen < self.first + self.times
            self.fired += due
        return due


class Exchange:
    """One disturbed request, and what a fault can do with it."""

    def __init__(self, handler: _Handler, body: bytes) -> None:
        self._handler = handler
        self.body = body

    @property
    def sender(self) -> int:
        """The port from which the request came."""
        return int(self._handler.client_address[1])

    def forward(self, body: bytes | None = None) -> Answer:
        """Lets the server do its work, on another body if one is given, and gives its answer."""
        return self._handler.forwarded(self.body if body is None else body)

    def relay(self, answer: Answer) -> None:
        """Gives an answer to the client."""
        self._handler.relay(answer)

    def answer(self, status: int, reason: str = "") -> None:
        """Answers as Google's servers spell an error."""
        why = reason or _REASONS.get(status, "")
        error = {"code": status, "message": "injected", "errors": [{"reason": why, "message": "injected"}]}
        self.relay(Answer(status, [("Content-Type", "application/json")], json.dumps({"error": error}).encode()))

    def cut(self, answer: Answer) -> None:
        """Gives the first half of an answer and then ends the connection."""
        self._handler.relay(answer, only=len(answer.body) // 2)
        self.reset()

    def reset(self) -> None:
        """Ends the connection so that the client sees a reset."""
        self._handler.reset()

    def hang(self, seconds: float) -> None:
        """Says nothing until the client gives up, or for so long; then resets."""
        select.select([self._handler.connection], [], [], seconds)
        self.reset()


class _Handler(BaseHTTPRequestHandler):
    """Takes a request, asks the rules, and forwards it or not."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms behind its headers, until the client acknowledges them
    proxy: FaultProxy

    def handle_one_request(self) -> None:
        """Serves a request; a client that goes away in the middle of one is no error here."""
        try:
            super().handle_one_request()
        except (OSError, ValueError):
            self.close_connection = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        rule = self.proxy.rule_for(self.command, self.path, body)
        if rule is None:
            self.relay(self.forwarded(body))
        else:
            rule.fault(Exchange(self, body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815  http.server's names

    def forwarded(self, body: bytes) -> Answer:
        """Returns the server's answer."""
        upstream = http.client.HTTPConnection(*self.proxy.upstream, timeout=_PATIENCE)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            upstream.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = upstream.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
            found = Answer(answer.status, kept, answer.read())
        finally:
            upstream.close()
        self.proxy.after(self.command, self.path, body)
        return found

    def relay(self, answer: Answer, only: int | None = None) -> None:
        """Writes an answer, or its first bytes only."""
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:only])

    def reset(self) -> None:
        """Closes the connection with RST."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _nobody(_method: str, _path: str, _body: bytes) -> None:
    """Takes no notice."""


class FaultProxy:
    """A running proxy.

    Args:
        upstream: address of the server, as http://host:port.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self._rules: tuple[Rule, ...] = ()
        self.after: Witness = _nobody
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def rule_for(self, method: str, path: str, body: bytes) -> Rule | None:
        """Returns the rule that disturbs a request; every rule counts it."""
        taken = [rule for rule in self._rules if rule.takes(method, path, body)]
        return taken[0] if taken else None

    @contextmanager
    def following(self, *rules: Rule) -> Iterator[None]:
        """Follows rules for a while."""
        self._rules = rules
        try:
            yield
        finally:
            self._rules = ()

    @contextmanager
    def witnessed_by(self, witness: Witness) -> Iterator[None]:
        """Lets somebody take notice of every request for a while."""
        self.after = witness
        try:
            yield
        finally:
            self.after = _nobody

    @contextmanager
    def running(self) -> Iterator[FaultProxy]:
        """Serves until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
