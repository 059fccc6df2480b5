"""Failures of Cloud Storage become ours, in one place, and nothing of Google's stays attached to them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from etl.clock import now
from etl.cloud.failures import must_change, replacing
from etl.cloud.storage import StagingBucket, StagingLocation, delete_expired
from etl.cloud.storage.failures import ObjectMissing, StorageUnavailable
from etl.errors import BucketMissing, Unexpected
from etl.settings import load_settings
from masking.errors import KagemushaError
from scripts.local_stack.local_stack import Endpoints

_SECRET = "4111111111111111"


class _Refusing(ThreadingHTTPServer):
    """Answers every request by itself: with one status, and a message that quotes a value."""

    daemon_threads = True
    status = 403
    requests = 0


class _Handler(BaseHTTPRequestHandler):
    server: _Refusing

    def _refuse(self) -> None:
        self.server.requests += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = f'{{"error": {{"code": {self.server.status}, "message": "{_SECRET}"}}}}'.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _refuse  # noqa: N815  the names that http.server asks for

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def refusing() -> Iterator[_Refusing]:
    """Yields a storage server that takes and gives nothing."""
    with _Refusing(("127.0.0.1", 0), _Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield listening
        listening.shutdown()


def _write_in_parts(bucket: StagingBucket) -> None:
    writer = bucket.create("staged/new")
    writer.write(b"x" * 9_000_000)
    writer.finish()


OPERATIONS: dict[str, Callable[[StagingBucket], object]] = {
    "list the staging bucket": StagingBucket.check,
    "write an object": lambda bucket: bucket.write("staged/new", b"x", "text/plain"),
    "read an object": lambda bucket: bucket.read("staged/old"),
    "describe an object": lambda bucket: bucket.created("staged/old"),
    "delete an object": lambda bucket: bucket.delete("staged/old"),
    "list staged objects": lambda bucket: bucket.stored("staged/"),
    "set the bucket's lifecycle": lambda bucket: bucket.expire_after(8),
}
OF_AN_OBJECT = {"read an object", "describe an object", "delete an object"}


@pytest.mark.parametrize("status", [403, 404, 412])
@pytest.mark.parametrize("action", OPERATIONS)
def test_every_refusal_is_ours(refusing: _Refusing, action: str, status: int) -> None:
    """Whatever storage refuses, the error says which bucket and what was asked; nothing of Google's is in it."""
    refusing.status = status
    bucket = StagingBucket(StagingLocation("b", "staged", f"http://127.0.0.1:{refusing.server_port}"))
    with pytest.raises(KagemushaError) as refused:
        OPERATIONS[action](bucket)
    kind = BucketMissing if status in {403, 404} else StorageUnavailable
    if status == 404 and action in OF_AN_OBJECT:
        kind = ObjectMissing  # one that was there: run again
    assert refused.value.exit_code == (2 if kind is BucketMissing else 3)
    assert type(refused.value) is kind
    assert action in str(refused.value)
    assert refused.value.where["bucket"] == "b"
    _holds_nothing_of_googles(refused.value)


@pytest.mark.parametrize("status", [403, 404])
def test_a_clean_up_that_is_refused_fails_no_run(refusing: _Refusing, status: int) -> None:
    """The note of what is left stays, so the next run tries again."""
    refusing.status = status
    bucket = StagingBucket(StagingLocation("b", "staged", f"http://127.0.0.1:{refusing.server_port}"))
    assert delete_expired(bucket, now()) == 0
    assert refusing.requests == 1


@pytest.mark.parametrize("end", ["left", "given up", "finished in vain"])
def test_what_does_not_become_an_object_is_not_sent_later(refusing: _Refusing, end: str) -> None:
    """A writer that nobody needs any more sends nothing, whatever it holds and however it ended."""
    bucket = StagingBucket(StagingLocation("b", "staged", f"http://127.0.0.1:{refusing.server_port}"))
    writer = bucket.create("staged/new")
    writer.write(b"the first half of a file")
    if end == "given up":
        writer.abort()
    if end == "finished in vain":
        with pytest.raises(BucketMissing):
            writer.finish()
    before = refusing.requests
    del writer
    gc.collect()
    assert refusing.requests == before == (1 if end == "finished in vain" else 0)


def test_an_object_that_is_not_taken_is_ours(refusing: _Refusing) -> None:
    """So it is for an object that is written in parts, whose uploads fail with errors of another library."""
    bucket = StagingBucket(StagingLocation("b", "staged", f"http://127.0.0.1:{refusing.server_port}"))
    with pytest.raises(BucketMissing, match="would not write an object") as refused:
        _write_in_parts(bucket)
    _holds_nothing_of_googles(refused.value)


class _CutShort(_Handler):
    """Answers an object of a hundred bytes; its first answer ends after the half of them."""

    content = bytes(range(100))
    answered: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        """Answers."""
        self.answered.append(len(self.answered))
        self.send_response(206)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[: 50 * len(self.answered)])
        self.close_connection = True


def test_a_chunk_that_is_cut_short_is_asked_for_again() -> None:
    """A stream never takes half an answer for the end of the object."""
    with _Refusing(("127.0.0.1", 0), _CutShort) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        bucket = StagingBucket(StagingLocation("b", "staged", f"http://127.0.0.1:{listening.server_port}"))
        assert bucket.open("staged/old").read(100) == _CutShort.content
        listening.shutdown()
    assert _CutShort.answered == [0, 1]


@pytest.mark.parametrize(
    ("statuses", "ours", "said"),
    [
        ((400, 401, 403, 404, 405, 410, 413, 501), False, True),
        ((None, 200, 408, 409, 412, 423, 425, 429, 500, 502, 503, 504), False, False),
        ((400, 401, 403), True, True),
        ((404, 410, 503), True, False),
    ],
)
def test_a_status_says_whose_mistake_it_was(statuses: tuple[int | None, ...], ours: bool, said: bool) -> None:  # noqa: FBT001  a case of the table
    """A person changes names, rights, requests; what the server cannot now, or has lost of ours, is for another run."""
    assert [must_change(status, ours=ours) for status in statuses] == [said] * len(statuses)


@pytest.mark.stack
def test_a_missing_bucket_is_named(stack: Endpoints) -> None:
    """A bucket that is not there is told from a storage that does not answer."""
    here = StagingLocation.of(load_settings(stack.settings))
    with pytest.raises(BucketMissing) as refused:
        StagingBucket(replace(here, bucket="no-such-bucket")).check()
    assert refused.value.where["bucket"] == "no-such-bucket"
    _holds_nothing_of_googles(refused.value)


def test_other_errors_pass_as_they_are() -> None:
    """Only the named foreign errors are replaced; ours, and those that nobody foresaw, come through."""

    def ours(_: BaseException) -> KagemushaError:
        return Unexpected("It failed.", not_done="Nothing was done.")

    with pytest.raises(KeyError), replacing((OSError,), ours):
        raise KeyError(_SECRET)
    with pytest.raises(BucketMissing), replacing((OSError,), ours):
        raise BucketMissing("It is missing.", not_done="Nothing was done.")
    with pytest.raises(Unexpected) as replaced, replacing((OSError,), ours):
        raise OSError(_SECRET)
    _holds_nothing_of_googles(replaced.value)


def _holds_nothing_of_googles(error: KagemushaError) -> None:
    assert error.__context__ is None
    assert error.__cause__ is None
    assert _SECRET not in str(error)
