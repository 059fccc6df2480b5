"""Runs gcp-storage-emulator so that generation preconditions hold, as they do in Cloud Storage.

As it comes, the emulator ignores `ifGenerationMatch` and its siblings silently: a program that relies on them to
write an object once would look right here and lose data elsewhere. Batch requests still carry no preconditions.

    python storage_launcher.py PORT DATA_DIR
"""

from __future__ import annotations

import functools
import logging
import signal
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gcp_storage_emulator import server, storage
from gcp_storage_emulator.exceptions import BadRequest, NotFound
from gcp_storage_emulator.handlers import objects
from storage_index import Index

Handler = Callable[..., Any]  # the emulator's own handlers carry no types
_WRITES = (
    objects.insert,
    objects.upload_partial,
    objects.delete,
    objects.patch,
    objects.compose,
    objects.copy,
    objects.rewrite,
)
_READS = (objects.get, objects.download)
_MISSING = "0"
_one_at_a_time = threading.RLock()
_received: dict[str, bytearray] = {}


def _object_named(request: Any, store: Any) -> tuple[str, str] | None:  # noqa: ANN401 - the emulator's untyped request
    """Returns bucket and name of the object that a request reads or writes."""
    where, query = request.params or {}, request.query
    bucket = where.get("dest_bucket_name") or where.get("bucket_name")
    name = where.get("dest_object_id") or where.get("object_id")
    if name is None and "name" in query:
        name = query["name"][0]
    if name is None and "upload_id" in query:
        name = (store.resumable.get(query["upload_id"][0]) or {}).get("name")
    if name is None and isinstance(request.data, dict):
        name = request.data.get("name") or (request.data.get("meta") or {}).get("name")
    return (bucket, name) if bucket and name else None


def _refusal(request: Any, store: Any, *, reads: bool) -> HTTPStatus | None:  # noqa: ANN401 - as above
    """Returns the status of a request whose preconditions do not hold, None when they all do."""
    query = request.query
    named = _object_named(request, store)
    if named is None:
        return None
    try:
        found = store.get_file_obj(*named)
        generation, metageneration = str(found["generation"]), str(found["metageneration"])
    except NotFound:
        generation = metageneration = _MISSING
    if "generation" in query and query["generation"][0] != generation and "softDeleted" not in query:
        return HTTPStatus.NOT_FOUND
    for name, actual in (("Generation", generation), ("Metageneration", metageneration)):
        if query.get(f"if{name}Match", [actual])[0] != actual:
            return HTTPStatus.PRECONDITION_FAILED
        if query.get(f"if{name}NotMatch", [None])[0] == actual:
            return HTTPStatus.NOT_MODIFIED if reads else HTTPStatus.PRECONDITION_FAILED
    return None


def _guarded(handler: Handler) -> Handler:
    reads = handler in _READS

    @functools.wraps(handler)
    def checked(request: Any, response: Any, store: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        refusal = _refusal(request, store, reads=reads)
        if refusal is None:
            return handler(request, response, store, *args, **kwargs)
        response.status = refusal
        if refusal is not HTTPStatus.NOT_MODIFIED:
            reason = "conditionNotMet" if refusal is HTTPStatus.PRECONDITION_FAILED else "notFound"
            error = {"domain": "global", "reason": reason, "message": refusal.phrase}
            response.json({"error": {"code": refusal.value, "message": refusal.description, "errors": [error]}})
        return None

    return checked


def _serially(handle: Callable[..., None]) -> Callable[..., None]:
    """Lets requests arrive side by side while only one at a time touches the objects."""
    receive = server._read_raw_data  # noqa: SLF001 - where the emulator would read the body, while it holds the objects
    server._read_raw_data = lambda connection: connection.body  # noqa: SLF001 - as above

    def handle_alone(router: Any, method: str) -> None:  # noqa: ANN401 - the emulator's untyped router
        connection = router._request_handler  # noqa: SLF001 - as above
        connection.body = receive(connection)
        with _one_at_a_time:
            handle(router, method)

    return handle_alone


def _append(
    _store: Any,  # noqa: ANN401 - the emulator's untyped storage
    upload: str,
    content: bytes,
    total_size: int | None,
    expected_start: int | None,
) -> bytes | None:
    """Adds a chunk to a resumable upload, which is in memory until it is an object: files would be written twice.

    Returns the whole object once it has all its bytes.
    """
    received = _received.setdefault(upload, bytearray())
    if expected_start not in (None, len(received)):
        raise BadRequest(f"Invalid Content-Range start: expected {len(received)}, got {expected_start}")
    received += content or b""
    if total_size is None or len(received) < total_size:
        return None
    return bytes(_received.pop(upload))[:total_size]


def _count(_store: Any, upload: str) -> int:  # noqa: ANN401 - the emulator's untyped storage
    """Returns how many bytes of a resumable upload are here."""
    return len(_received.get(upload, b""))


def _objects(store: Any) -> Path:  # noqa: ANN401 - as above
    return Path(str(store.get_storage_base())) / str(storage.STORAGE_DIR)


def _read_config(store: Any) -> None:  # noqa: ANN401 - the emulator's untyped storage
    store.index = Index(_objects(store))
    store.index.read(store)
    store.resumable.clear()  # their bytes ended with the process before


def main(port: int, data: Path) -> None:
    """Serves until it is told to end."""
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(message)s")
    for _, handlers in server.HANDLERS:
        for method, handler in handlers.items():
            if handler in _WRITES or handler in _READS:
                handlers[method] = _guarded(handler)
    server.server.HTTPServer = ThreadingHTTPServer
    server.Router.handle = _serially(server.Router.handle)
    objects._md5 = lambda _content: None  # noqa: SLF001 - Cloud Storage has none of composed objects; CRC32C counts
    storage.Storage.add_to_resumable_upload = _append
    storage.Storage.get_resumable_byte_count = _count
    storage.Storage._read_config_from_file = _read_config  # noqa: SLF001 - the one place that reads the index
    storage.Storage._write_config_to_file = lambda store: store.index.write(store)  # noqa: SLF001 - and that writes it
    running = server.create_server("127.0.0.1", port, in_memory=False, data_dir=str(data))
    running.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    running.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(int(sys.argv[1]), Path(sys.argv[2]))
