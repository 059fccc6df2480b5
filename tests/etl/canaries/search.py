"""Finds planted values in whatever a run left behind, in any file format, encoding, spelling or wrapping.

Found is a *marker*, a word that stands in planted values and nowhere else, in any letter case; or the digits of a
planted *number*, in full width too and whatever separates them.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import shutil
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.local_stack.bigquery import _interpreter

_SHORTEST: Final = 10
"""Digits that every planted number has at least."""

_BETWEEN_DIGITS: Final = b" \t./_-"
_FULL_WIDTH: Final = re.compile(rb"\xef\xbc([\x90-\x99])")
# No-break, ideographic and thin spaces, dashes, minus, full-width hyphen, long vowel mark.
_SEPARATORS: Final = re.compile(
    rb"\xc2[\xa0\xad]|\xe3\x80\x80|\xe2\x80[\x80-\x95\xaf]|\xe2\x88\x92|\xe2\x81[\x9f\xa0]|\xef\xbc\x8d|\xe3\x83\xbc"
)
_RUN: Final = re.compile(rb"[0-9](?:[ \t./_-]{0,3}[0-9]){9,}")
_WIDE_DIGIT: Final = rb"(?:[0-9]\x00|[\x10-\x19]\xff)"
_WIDE_SEPARATOR: Final = rb"(?:[ \t./_\xa0\xad-]\x00|\x00\x30|[\x00-\x15\x2f]\x20|\x12\x22|\x0d\xff|\xfc\x30)"
_WIDE_RUN: Final = re.compile(_WIDE_DIGIT + rb"(?:" + _WIDE_SEPARATOR + rb"{0,3}" + _WIDE_DIGIT + rb"){9,}", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{12,}")
_HEX: Final = re.compile(rb"[0-9a-fA-F]{12,}")
_DUMP: Final = """
import sys
from pathlib import Path
import duckdb
database, folder = duckdb.connect(sys.argv[1]), Path(sys.argv[2])
found = database.sql("SELECT database_name, schema_name, table_name FROM duckdb_tables()").fetchall()
for number, (catalog, schema, table) in enumerate(found):
    database.execute(f'COPY "{catalog}"."{schema}"."{table}" TO \\'{folder}/{number}.csv\\' (FORMAT csv)')
"""


@dataclass(frozen=True)
class Searcher:
    """Knows what was planted, and looks for it.

    Args:
        markers: words of planted values.
        numbers: planted numbers as plain digits, at least ten.
    """

    markers: frozenset[str]
    numbers: frozenset[str]

    def __post_init__(self) -> None:
        """Refuses numbers that would not be found."""
        assert all(len(number) >= _SHORTEST for number in self.numbers)

    def in_bytes(self, data: bytes) -> set[str]:
        """Returns the markers and numbers that stand in data, plainly or wrapped once."""
        return {found for layer in _layers(data) for found in (*self._markers(layer), *self._numbers(layer))}

    def in_values(self, values: Iterable[object]) -> set[str]:
        """Returns what stands in any of some values; each is read alone, so neighbors never make a number together."""
        return self.in_bytes(b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values))

    def in_file(self, path: Path) -> set[str]:
        """Returns what stands in a file: in its bytes, and in what it unpacks to."""
        content = path.read_bytes()
        found = self.in_bytes(content)
        for begins, unpack in _FORMATS.items():
            if content[begins.start : begins.start + len(begins.magic)] == begins.magic:
                for part in unpack(path, content):
                    found |= self.in_bytes(part)
        return found

    def in_tree(self, root: Path, *, skipping: Iterable[Path] = ()) -> dict[str, set[str]]:
        """Gives, for each file below a folder that holds something planted, what it holds."""
        left_out = tuple(skipping)
        sightings = {
            str(path.relative_to(root)): self.in_file(path)
            for path in sorted(root.rglob("*"))
            if path.is_file() and not any(path.is_relative_to(folder) for folder in left_out)
        }
        return {path: found for path, found in sightings.items() if found}

    def _markers(self, data: bytes) -> Iterator[str]:
        folded = data.lower()
        for marker in self.markers:
            if any(marker.encode(encoding).lower() in folded for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
                yield marker

    def _numbers(self, data: bytes) -> Iterator[str]:
        plain = _FULL_WIDTH.sub(lambda digit: bytes([digit[1][0] - 0x60]), data) if b"\xef\xbc" in data else data
        plain = _SEPARATORS.sub(b" ", plain)
        runs = {run[0].translate(None, _BETWEEN_DIGITS).decode() for run in _RUN.finditer(plain)}
        for run in _WIDE_RUN.finditer(data):
            runs.add("".join(str(int(one)) for one in run[0].decode("utf-16-le") if one.isdecimal()))
        yield from self._within("\n".join(runs))

    def _within(self, runs: str) -> Iterator[str]:
        """Yields the numbers that stand in runs of digits: places at which one may begin, then those where it does."""
        digits = np.frombuffer(runs.encode(), np.uint8).astype(np.int64) - ord("0")
        windows = max(0, len(digits) - _SHORTEST + 1)
        first = sum(digits[place : place + windows] * 10 ** (_SHORTEST - 1 - place) for place in range(_SHORTEST))
        for start in np.flatnonzero(np.isin(first, self._beginnings)).tolist():
            yield from {runs[start : start + length] for length in self._lengths} & self.numbers

    @cached_property
    def _beginnings(self) -> npt.NDArray[np.int64]:
        """The first ten digits of the numbers."""
        return np.array([int(number[:_SHORTEST]) for number in self.numbers], np.int64)

    @cached_property
    def _lengths(self) -> set[int]:
        return {len(number) for number in self.numbers}


def _layers(data: bytes) -> Iterator[bytes]:
    """Yields the data, and what its escapes, percent signs, base64 and hexadecimal stand for."""
    yield data
    if b"\\" in data:
        yield _ESCAPE.sub(_unescaped, data)
    if _PERCENT.search(data):
        yield unquote_to_bytes(data)
    runs = {run[0] for run in _BASE64.finditer(data)}
    yield b"\n".join(base64.b64decode(run[skip:][: (len(run) - skip) // 4 * 4]) for run in runs for skip in range(4))
    runs = {run[0] for run in _HEX.finditer(data)}
    yield b"\n".join(binascii.unhexlify(run[skip:][: (len(run) - skip) // 2 * 2]) for run in runs for skip in range(2))


def _unescaped(escape: re.Match[bytes]) -> bytes:
    if escape[2]:
        return bytes([int(escape[2], 16)])
    return chr(int(escape[1], 16)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class _Magic:
    magic: bytes
    start: int = 0


def _parquet(path: Path, content: bytes) -> Iterator[bytes]:
    del path
    table = pq.read_table(io.BytesIO(content))
    for column in table.columns:
        yield b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in column.to_pylist())


def _gzip(path: Path, content: bytes) -> Iterator[bytes]:
    del path
    with suppress(zlib.error, EOFError, gzip.BadGzipFile):
        yield gzip.decompress(content)


def _zstandard(path: Path, content: bytes) -> Iterator[bytes]:
    del path
    with suppress(OSError, pa.ArrowException):
        yield pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()


def _zip(path: Path, content: bytes) -> Iterator[bytes]:
    del path
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            yield archive.read(name)


def _duckdb(path: Path, content: bytes) -> Iterator[bytes]:
    """Yields every table of a DuckDB file; of a copy, because a server holds the file itself."""
    del content
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.duckdb"
        shutil.copyfile(path, copy)
        log = path.with_name(path.name + ".wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(copy.name + ".wal"))
        dump = [str(_interpreter()), "-c", _DUMP, str(copy), folder]
        subprocess.run(dump, check=True, capture_output=True)  # noqa: S603  our own program
        for table in sorted(Path(folder).glob("*.csv")):
            yield table.read_bytes()


_FORMATS: Final[dict[_Magic, Callable[[Path, bytes], Iterator[bytes]]]] = {
    _Magic(b"PAR1"): _parquet,
    _Magic(b"\x1f\x8b"): _gzip,
    _Magic(b"\x28\xb5\x2f\xfd"): _zstandard,
    _Magic(b"PK\x03\x04"): _zip,
    _Magic(b"DUCK", start=8): _duckdb,
}
