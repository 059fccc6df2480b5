"""Fault points of Cloud Storage: what its answers, its objects and the network before it may do."""

from __future__ import annotations

from typing import Final

from scripts.fault_injection.field import Field
from scripts.fault_injection.http_faults import answers, answers_after, cuts, flips, hangs, loses, resets, truncates
from scripts.fault_injection.point import Act, Point, moment, request

START: Final = ("POST", r"^/upload/storage/.*uploadType=resumable")
CHUNK: Final = ("PUT", r"^/upload/storage/")
LISTING: Final = ("GET", r"^/storage/v1/b/[^/]+/o\?")
CHECK: Final = ("GET", r"^/storage/v1/b/[^/]+/o\?.*maxResults=1")
MANIFEST: Final = ("GET", r"^/storage/v1/b/[^/]+/o\?.*prefix=[^&]*(teams|gifts)")
DOWNLOAD: Final = ("GET", r"(^/download/|alt=media)")
REPORT: Final = ("POST", r"^/upload/storage/.*uploadType=multipart", "report.json")
CLEANUP: Final = ("GET", r"^/storage/v1/b/[^/]+/o\?.*prefix=kagemusha(%2F|/)unexpired")
NOTE: Final = ("POST", r"^/upload/storage/.*uploadType=multipart", "unexpired/")


def _staged(played: Field, table: str) -> str:
    """Returns the name of a staged file of the running load."""
    names = [one.name for one in played.stage.stored("") if f"/{table}/" in one.name]
    return max(name for name in names if name.endswith(".parquet"))


def overwrites(table: str) -> Act:
    """Something writes other bytes over a staged object."""

    def act(played: Field) -> None:
        name = _staged(played, table)
        content = bytearray(played.stage.read(name))
        content[len(content) // 2] ^= 1
        played.stage.write(name, bytes(content), "application/octet-stream")

    return act


def deletes(table: str) -> Act:
    """Something deletes a staged object."""

    def act(played: Field) -> None:
        played.stage._bucket.blob(_staged(played, table)).delete()  # noqa: SLF001  the product never deletes one

    return act


def rots(table: str, *, half: bool = False) -> Act:
    """A staged object changes on the server's disk, without the server's knowledge."""

    def act(played: Field) -> None:
        file = played.ends.root / "storage" / ".cloudstorage" / played.ends.bucket / _staged(played, table)
        content = bytearray(file.read_bytes())
        if half:
            del content[len(content) // 2 :]
        else:
            content[len(content) // 3] ^= 1
        file.write_bytes(content)

    return act


POINTS: Final[tuple[Point, ...]] = (
    request("storage-check-503", "503 to the first look at the bucket", "storage", CHECK, answers(503)),
    request("upload-start-429", "429 twice as an upload begins", "storage", START, answers(429), times=2),
    request("upload-start-500", "500 as an upload begins", "storage", START, answers(500)),
    request("upload-start-503", "503 three times as an upload begins", "storage", START, answers(503), times=3),
    request("upload-start-403", "403 as an upload begins", "storage", START, answers(403)),
    request("upload-start-412", "412 as an upload begins", "storage", START, answers(412)),
    request("upload-start-reset", "connection reset as an upload begins", "storage", START, resets),
    request("upload-start-lost", "an upload begins and the answer is lost", "storage", START, loses),
    request("upload-chunk-429", "429 to the bytes of a file", "storage", CHUNK, answers(429)),
    request("upload-chunk-503", "503 three times to the bytes of a file", "storage", CHUNK, answers(503), times=3),
    request("upload-chunk-410", "410, the upload is gone", "storage", CHUNK, answers(410)),
    request("upload-chunk-412", "412 at the end of an upload", "storage", CHUNK, answers(412)),
    request("upload-chunk-507", "507, the server's disk is full", "storage", CHUNK, answers(507)),
    request("upload-chunk-503-done", "a file is stored and 503 answered", "storage", CHUNK, answers_after(503)),
    request("upload-chunk-reset", "connection reset at the bytes of a file", "storage", CHUNK, resets),
    request("upload-chunk-lost", "a file is stored and the answer lost", "storage", CHUNK, loses),
    request("upload-chunk-hangs", "nothing comes for 3 s, then a reset", "storage", CHUNK, hangs(3)),
    request("upload-truncated", "the second half of a file does not arrive", "storage", CHUNK, truncates),
    request("upload-bit-flipped", "one bit of a file is flipped on the way", "storage", CHUNK, flips),
    request("manifest-503", "503 twice to the manifest's listing", "storage", MANIFEST, answers(503), times=2),
    request("manifest-reset", "connection reset at the manifest's listing", "storage", MANIFEST, resets),
    request("manifest-500-on", "500 to every listing of the manifest", "storage", MANIFEST, answers(500), times=999),
    request("audit-read-503", "503 twice as the audit reads", "storage", DOWNLOAD, answers(503), times=2),
    request("audit-read-404", "404 as the audit reads", "storage", DOWNLOAD, answers(404)),
    request("audit-read-reset", "connection reset as the audit reads", "storage", DOWNLOAD, resets),
    request("audit-read-cut", "half an answer as the audit reads", "storage", DOWNLOAD, cuts),
    request("report-503", "503 twice to the run report", "storage", REPORT, answers(503), times=2),
    request("report-403", "403 to the run report", "storage", REPORT, answers(403)),
    request("report-lost", "the report is stored and the answer lost", "storage", REPORT, loses),
    request("note-503", "503 twice to the note of a run", "storage", NOTE, answers(503), times=2),
    request("note-403", "403 to the note of a run", "storage", NOTE, answers(403)),
    request("note-lost", "the note is stored and the answer lost", "storage", NOTE, loses),
    request("cleanup-500", "500 to every listing of the clean-up", "storage", CLEANUP, answers(500), times=999),
    moment("staged-overwritten", "staged bytes replaced before the audit", ("gifts", "audit"), overwrites("gifts")),
    moment("staged-deleted", "a staged object deleted before the audit", ("gifts", "audit"), deletes("gifts")),
    moment("staged-cut", "a staged file cut on disk before the audit", ("gifts", "audit"), rots("gifts", half=True)),
    moment("staged-rots", "a bit of a staged file flips on disk", ("gifts", "audit"), rots("gifts")),
    moment("approved-overwritten", "audited bytes replaced", ("gifts", "publish"), overwrites("gifts")),
    moment("approved-deleted", "an audited object deleted", ("teams", "publish"), deletes("teams")),
    moment("approved-cut", "an audited file cut on disk", ("teams", "publish"), rots("teams", half=True)),
)
