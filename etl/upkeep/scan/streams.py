"""Files as batches to scan: Parquet and CSV by column, everything else by line; compressed or not, of any length.

A line has no column, and a column of a CSV file is called by its number: a file without a header would show a value
for a name.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from etl.upkeep.scan.places import Batches, Unreadable

Open = Callable[[], BinaryIO]
"""Opens a file at its beginning; seekable."""

LINES: Final = "line"
"""The name of the column that a file without columns has."""
_SAID: Final = "what the file says of itself"
_BLOCK: Final = 4 * 1024 * 1024
_ROWS: Final = 1 << 16
_MOST_COLUMNS: Final = 10_000
_LONGEST_LEAK: Final = 320
"""No kind of leak is longer: an e-mail address has at most 254 bytes, track 2 has 40, track 1 has 79."""

_COMPRESSED: Final = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_CLOSED: Final = {
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"%PDF": "a PDF document",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xfd7zXZ": "an XZ archive",
    b"\x5d\x00\x00": "an LZMA archive",
    b"Rar!": "a RAR archive",
    b"\x04\x22\x4d\x18": "an LZ4 file",
    b"\xff\x06\x00\x00sN": "a Snappy file",
    b"\x78\x01": "a zlib stream",
    b"\x78\x9c": "a zlib stream",
    b"\x78\xda": "a zlib stream",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file",
    b"PARE": "an encrypted Parquet file",
    b"SQLite f": "a SQLite database",
    b"\xd0\xcf\x11\xe0": "an older office document",
}
_HEAD: Final = 8
"""Bytes by which a file's kind is told."""
_WITHIN: Final = {**_COMPRESSED, b"PAR1": "Parquet"}
"""What is opened where a file begins so, and not where it was compressed once more."""
_DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
_TOKEN: Final = re.compile(rb"(?<![0-9A-Za-z])k[0-9]{1,3}_[0-9a-f]{32,}(?![0-9A-Za-z])")
_ESCAPED: Final = re.compile(rb"\\u([0-9a-fA-F]{4})")
_BETWEEN_VALUES: Final = re.compile(rb"[,;\"<>{}|\t]")
_BETWEEN_LETTERS: Final = re.compile(rb"[A-Za-z](?=[A-Za-z])")


def ways(name: str, opened: Open) -> tuple[Batches, ...]:
    """Returns the ways to read a file, chosen by its first bytes and its name; the last one reads whatever it is.

    Raises:
        Unreadable: the file is of a kind whose content cannot be seen, such as an archive.
    """
    with opened() as file:
        head = file.read(_HEAD)
    _refuse(head, _CLOSED)
    if head.startswith(b"PAR1"):
        return (lambda: _parquet(opened),)
    codec = next((codec for magic, codec in _COMPRESSED.items() if head.startswith(magic)), None)
    suffixes = [part for part in _DELIMITERS if part in name.lower()[-12:]]
    text: Batches = lambda: _lines(opened, codec)  # noqa: E731  a way is a closure
    if suffixes:
        return (lambda: _columns(opened, codec, _DELIMITERS[suffixes[0]]), text)
    return (text,)


def _refuse(head: bytes, closed: Mapping[bytes, str]) -> None:
    """Lets content pass that does not begin like one of these kinds."""
    kind = next((kind for magic, kind in closed.items() if head.startswith(magic)), None)
    if kind is not None:
        raise Unreadable(f"It is {kind}, whose content cannot be seen.", not_done="It was not scanned.")


def _stream(opened: Open, codec: str | None) -> pa.NativeFile:
    """Opens a file's text; a byte order mark says that digits are two bytes each, and these are brought to one.

    Raises:
        Unreadable: what was compressed is no text.
    """
    with _plain(opened, codec) as stream:
        head = stream.read(_HEAD)
    if codec:
        _refuse(head, _CLOSED | {magic: f"{inner} within {codec}" for magic, inner in _WITHIN.items()})
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    stream = _plain(opened, codec)
    return pa.transcoding_input_stream(stream, "utf-16", "utf-8") if wide else stream


def _plain(opened: Open, codec: str | None) -> pa.NativeFile:
    stream = pa.PythonFile(opened(), mode="r")
    return pa.CompressedInputStream(stream, codec) if codec else stream


def _parquet(opened: Open) -> Iterator[pa.RecordBatch]:
    with opened() as source, pq.ParquetFile(source) as file:
        said = {key: value for key, value in (file.metadata.metadata or {}).items() if key != b"ARROW:schema"}
        if said:
            yield pa.record_batch({_SAID: pa.array([*said, *said.values()], pa.binary())})
        for batch in file.iter_batches(batch_size=_ROWS):
            yield flat(batch)


def _columns(opened: Open, codec: str | None, delimiter: str) -> Iterator[pa.RecordBatch]:
    names = {f"f{number}": pa.binary() for number in range(_MOST_COLUMNS)}  # bytes: any encoding, no guess of types
    with _stream(opened, codec) as stream:
        reader = pyarrow.csv.open_csv(
            stream,
            pyarrow.csv.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK),
            pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(column_types=names),
        )
        for batch in reader:
            yield batch.rename_columns([f"column {number}" for number in range(1, batch.num_columns + 1)])


def _lines(opened: Open, codec: str | None) -> Iterator[pa.RecordBatch]:
    with _stream(opened, codec) as stream:
        rest = b""
        while block := stream.read(_BLOCK):
            block = rest + block
            end, seen = _cut(block)
            if seen:
                yield _batch(block[:seen])
            rest = block[end:]
        if rest:
            yield _batch(rest)


def _cut(block: bytes) -> tuple[int, int]:
    """Returns where the next block begins and where this one's rows end: after a line, or within a very long one.

    Within a line it lies between two values where that can be told. Elsewhere it lies between two letters, which no
    number goes across. Where nothing tells, a little more is seen, so what stands there may count twice.
    """
    end = block.rfind(b"\n") + 1
    if end or len(block) < _BLOCK:
        return end, end
    tail = len(block) - _BLOCK // 8
    for pattern, more in ((_BETWEEN_VALUES, 0), (_BETWEEN_LETTERS, _LONGEST_LEAK)):
        found = [match.end() for match in pattern.finditer(block, tail)]
        if found:
            return found[-1], min(len(block), found[-1] + more)
    return len(block) - _LONGEST_LEAK, len(block)


def _batch(block: bytes) -> pa.RecordBatch:
    """Returns the lines of a block as rows; our own tokens, which are random digits, are taken out."""
    if b"\\u" in block:
        block = _ESCAPED.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "surrogatepass"), block)
    block = _TOKEN.sub(b"k_", block)
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1
    bounds = np.unique(np.concatenate([[0], ends, [len(block)]])).astype(np.int32)
    rows = pa.Array.from_buffers(pa.binary(), len(bounds) - 1, [None, pa.py_buffer(bounds), pa.py_buffer(block)])
    return pa.record_batch({LINES: rows})


def flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns a batch without structures and lists: a field becomes a column, an element a row of its own batch."""
    named = zip(batch.schema.names, batch.columns, strict=True)
    columns = [leaf for name, column in named for leaf in _leaves(name, column)]
    rows = max((len(column) for _, column in columns), default=0)
    padded = [column if len(column) == rows else _padded(column, rows) for _, column in columns]
    return pa.RecordBatch.from_arrays(padded, names=[name for name, _ in columns])


def _leaves(name: str, column: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pa.types.is_struct(kind):
        for number, field in enumerate(kind):
            yield from _leaves(f"{name}.{field.name}", pc.struct_field(column, [number]))
    elif pa.types.is_map(kind):
        yield from _leaves(f"{name}[key]", column.keys)
        yield from _leaves(f"{name}[]", column.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _leaves(f"{name}[]", column.flatten())
    else:
        yield name, column


def _padded(column: pa.Array, rows: int) -> pa.Array:
    return pa.concat_arrays([column, pa.nulls(rows - len(column), column.type)])
