"""The fault proxy passes everything on unchanged but what a rule names, and each fault does what it says."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts.fault_injection.http_faults import answers, answers_after, cuts, flips, hangs, loses, resets, truncates
from scripts.fault_injection.points import POINTS
from scripts.fault_injection.proxy import Fault, FaultProxy, Rule

BODY = b"0123456789"


@dataclass
class Upstream:
    """A server that remembers the bodies it got and answers them in capitals."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Yields a running server."""
    kept = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            kept.received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(201)
            self.send_header("X-Host", self.headers["Host"])
            self.send_header("Content-Length", str(len(kept.received[-1])))
            self.end_headers()
            self.wfile.write(kept.received[-1])

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[FaultProxy]:
    """Yields a running proxy before that server."""
    with FaultProxy(f"http://127.0.0.1:{upstream.port}").running() as running:
        yield running


def post(proxy: FaultProxy, path: str = "/o", body: bytes = BODY, timeout: float = 5) -> tuple[int, bytes]:
    """Sends a request through the proxy; gives the answer's status and body."""
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        if answer.status == 201:
            assert answer.headers["X-Host"] == proxy.url.removeprefix("http://")
        return answer.status, answer.read()
    finally:
        connection.close()


def test_without_a_rule_nothing_is_changed(proxy: FaultProxy, upstream: Upstream) -> None:
    """The server hears the client's own words, the name of the host in them; the client the server's."""
    assert post(proxy) == (201, BODY)
    assert upstream.received == [BODY]


@pytest.mark.parametrize(
    ("fault", "answer", "received"),
    [
        (answers(503, "backendError"), 503, []),
        (answers_after(429), 429, [BODY]),
        (truncates, (201, b"01234"), [b"01234"]),
        (flips, (201, b"0123446789"), [b"0123446789"]),
        (resets, ConnectionError, []),
        (loses, ConnectionError, [BODY]),
        (cuts, (http.client.IncompleteRead, ConnectionError), [BODY]),
        (hangs(0.05), ConnectionError, []),
        (hangs(60), TimeoutError, []),
    ],
    ids=["answers", "answers after", "truncates", "flips", "resets", "loses", "cuts", "hangs", "hangs on"],
)
def test_each_fault_does_what_it_says(
    proxy: FaultProxy, upstream: Upstream, fault: Fault, answer: object, received: list[bytes]
) -> None:
    """The client gets that answer or that failure, and the server has done its work or has not."""
    rule = Rule("POST", "^/o$", fault)
    with proxy.following(rule):
        if isinstance(answer, int):
            status, body = post(proxy)
            assert status == answer
            assert b"injected" in body
        elif isinstance(answer, tuple) and isinstance(answer[0], int):
            assert post(proxy) == answer
        else:
            with pytest.raises(answer):  # type: ignore[call-overload]
                post(proxy, timeout=0.3)
    assert upstream.received == received
    assert rule.fired == 1


def test_a_rule_takes_the_requests_that_it_names(proxy: FaultProxy) -> None:
    """Method, path and body must match, and only the named ones among those are disturbed, also after the block."""
    rule = Rule("POST", "^/named", answers(500), body="needle", first=2, times=2)
    with proxy.following(rule):
        seen = [post(proxy, "/named", b"a needle")[0] for _ in range(4)]
        assert post(proxy, "/named", b"hay")[0] == post(proxy, "/other", b"needle")[0] == 201
    assert seen == [201, 500, 500, 201]
    assert (rule.seen, rule.fired) == (4, 2)


def test_there_are_forty_distinct_fault_points() -> None:
    """No two points have one name, one text, or the same fault at the same place."""
    assert len(POINTS) >= 40
    assert len({point.name for point in POINTS}) == len({point.injected for point in POINTS}) == len(POINTS)
    placed = [(point.at, point.act, point.file_bytes, point.own_process, repr(point.fresh_rules())) for point in POINTS]
    assert len(set(placed)) == len(POINTS)
