"""The searcher of the canary tests: what it is trusted not to find, it would have found."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.local_stack.bigquery import _interpreter
from tests.etl.canaries.search import Searcher

PAN = "6011111200000013"
MARKER = "龘龗"
SEARCHER = Searcher(frozenset({MARKER, "qzxkage"}), frozenset({PAN}))
FULL_WIDTH = PAN.translate({ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"})
GROUPS = [PAN[start : start + 4] for start in range(0, 16, 4)]
NOISE = (
    "2023-08-30T12:00:00.123456Z k1_0123456789abcdef0123456789abcdef 1034042460054928 東京都 [PAN] 6011111200000021\n"
    * 50
)
SPELLINGS = {
    "plain": PAN,
    "spaced": " ".join(GROUPS),
    "hyphenated": "-".join(GROUPS),
    "no-break spaces": "\u00a0".join(GROUPS),
    "full width": FULL_WIDTH,
    "full width, hyphenated": "－".join(FULL_WIDTH[start : start + 4] for start in range(0, 16, 4)),
    "in a longer number": f"00{PAN}99",
    "marker": MARKER,
    "roman marker": "QzxKage",
}
WRAPPINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-16LE": lambda text: text.encode("utf-16-le"),
    "UTF-16LE at an odd place": lambda text: b"!" + text.encode("utf-16-le"),
    "JSON": lambda text: json.dumps({"message": text}).encode(),
    "Python's bytes": lambda text: repr(text.encode()).encode(),
    "percent": lambda text: quote(text, safe="").encode(),
    "hexadecimal": lambda text: b"\\x" + text.encode().hex().encode(),
    "base64": lambda text: base64.b64encode(b"{" + text.encode() + b"}--"),
    "base64 behind a letter": lambda text: b"j" + base64.b64encode(text.encode() + b"----"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_spelling_is_found_in_every_wrapping(spelling: str, wrapping: str) -> None:
    """A log that holds one planted value, anywhere, however spelled and encoded, gives it away."""
    before, after = (WRAPPINGS[wrapping](NOISE) if wrapping.startswith("UTF") else NOISE.encode() for _ in range(2))
    separator = b"\n"
    if wrapping == "UTF-16LE":
        separator = "\n".encode("utf-16-le")
    data = before + separator + WRAPPINGS[wrapping](SPELLINGS[spelling]) + separator + after
    assert SEARCHER.in_bytes(data)


def test_nothing_is_found_where_nothing_is() -> None:
    """Tokens, times, placeholders and another card number are no sighting."""
    for wrap in WRAPPINGS.values():
        assert SEARCHER.in_bytes(wrap(NOISE)) == set()


def _parquet(path: Path, values: pa.Array) -> None:
    pq.write_table(pa.table({"column": values}), path, compression="zstd")


def _duckdb(path: Path) -> None:
    leak = f"{MARKER} {GROUPS[0]} {''.join(GROUPS[1:])}"
    rows = f"SELECT CASE WHEN i = 700 THEN '{leak}' ELSE 'row ' || i END AS text FROM range(5000) r(i)"
    program = f"import duckdb; duckdb.connect({str(path)!r}).execute({f'CREATE TABLE leak AS {rows}'!r})"
    subprocess.run([str(_interpreter()), "-c", program], check=True)  # noqa: S603  our own program


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", NOISE + PAN)


FILES: dict[str, Callable[[Path], object]] = {
    "log": lambda path: path.write_text(NOISE + SPELLINGS["full width"] + NOISE, encoding="utf-8"),
    "gzip": lambda path: path.write_bytes(gzip.compress((NOISE + PAN).encode())),
    "zstandard": lambda path: path.write_bytes(_compressed((NOISE + PAN).encode())),
    "zip": _zip,
    "Parquet strings": lambda path: _parquet(path, pa.array(["a", None, f"番号は{FULL_WIDTH}です"] * 300)),
    "Parquet integers": lambda path: _parquet(path, pa.array([1, None, int(PAN)])),
    "Parquet decimals": lambda path: _parquet(path, pa.array([Decimal(PAN), None])),
    "Parquet bytes": lambda path: _parquet(path, pa.array([MARKER.encode(), None] * 300)),
    "DuckDB": _duckdb,
}


def _compressed(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(content)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_is_opened(kind: str, tmp_path: Path) -> None:
    """A leak in a compressed, columnar or database file is found, and the sighting names the file."""
    folder = tmp_path / "inside"
    folder.mkdir()
    FILES[kind](folder / "leak.bin")
    (tmp_path / "clean.log").write_text(NOISE, encoding="utf-8")
    assert set(SEARCHER.in_tree(tmp_path)) == {"inside/leak.bin"}
    assert SEARCHER.in_tree(tmp_path, skipping=[folder]) == {}


def test_values_are_read_one_by_one() -> None:
    """Two neighbors that would make a card number together are not one."""
    assert SEARCHER.in_values([PAN[:8], PAN[8:]]) == set()
    assert SEARCHER.in_values([None, 3, int(PAN)]) == {PAN}
