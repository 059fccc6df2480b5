"""Columns that a file keeps as different values are seen as in a plain reading of the same bytes, whatever they say."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.audit.reading import batches
from etl.audit.reading.batches import batches_by_value
from etl.audit.reading.files import HashPart, Share, look_at
from etl.audit.reading.leaks import LeakRule
from etl.audit.reading.seen import Rules, Seen
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.stage import StageChanged
from expectations.checks import Check
from expectations.measures import Count, Unique
from expectations.measures.predicates import Missing, Not, Paired, Same
from expectations.questions import question
from masking.leaks import Allowed

PAN: Final = "4111111111111111"
OWN: Final = "9991230000000004"
"""Passes Luhn under the made-up IIN 999123."""
_NAMES = count(1)
SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("token", "note", "number", "other")] + [("raw", pa.binary())]
)
VALUES: Final = {
    "token": [OWN, "9991230000000005", None, "4111111111111112", PAN],
    "note": ["a note", None, f"card {PAN}", "", "tel 090-1234-5678", "taro@example.jp", "two\nlines", "太郎"],
    "number": [PAN, "5500005555555559", "378282246310005", "6011111111111117", None, "1234567890123"],
    "other": ["a note", "太郎", None],
    "raw": [b"x", None, b"\xff", b"tel 090-1234-5678"],
}
QUESTIONS: Final = [
    question(Check(f"expect_column_{name}", {"column": column, **asked}), SCHEMA)
    for column in ("token", "note", "other")
    for name, asked in (
        ("values_to_not_be_null", {}),
        ("values_to_be_in_set", {"value_set": ["a note", OWN]}),
        ("values_to_match_regex", {"regex": "^[0-9]{16}$"}),
        ("values_to_match_regex", {"regex": "[0-9a]"}),
        ("value_lengths_to_be_between", {"min_value": 3, "max_value": 16}),
    )
]
MEASURES: Final = tuple(dict.fromkeys(measure for one in QUESTIONS if one for measure in one.measures))
RULES: Final = Rules(
    schema=SCHEMA,
    leaks=LeakRule({"token": Allowed(tokens=True), "number": Allowed(number="digits")}, ("999123",), ("token",)),
    declared=("number",),
    counted=(*MEASURES, Count(Paired("note", "==", "other")), Count(Same("note", "other"))),  # type: ignore[arg-type]
    unique=(Unique(("note",)), Unique(("token", "raw"), Not(Missing("note")))),
)


def table(rows: int, values: dict[str, list[Any]] = VALUES, step: int = 1) -> pa.Table:
    """Returns so many rows in which each column's values come in turn."""
    columns = [
        pa.array([values[field.name][at * step % len(values[field.name])] for at in range(rows)], field.type)
        for field in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def with_unused(rows: pa.Table) -> pa.Table:
    """Returns rows whose dictionaries hold card numbers and addresses that no row names."""

    def one(column: pa.ChunkedArray) -> pa.Array:
        encoded = column.combine_chunks().dictionary_encode()
        more = pa.array([OWN, PAN, "hanako@example.jp", "3530111333300000", "t\n", "090-8765-4321"])
        unused = [value for value in more.cast(column.type) if value not in encoded.dictionary]
        dictionary = pa.concat_arrays([pa.array(unused, column.type), encoded.dictionary])
        return pa.DictionaryArray.from_arrays(pa.array([
            None if index is None else index + len(unused) for index in encoded.indices.to_pylist()
        ], pa.int32()), dictionary)  # fmt: skip

    return pa.table([one(column) for column in rows.columns], names=rows.schema.names)


def written(rows: pa.Table, **how: Any) -> bytes:
    """Returns rows as the bytes of a Parquet file with dictionary pages."""
    sink = io.BytesIO()
    pq.write_table(rows, sink, store_schema=False, **{"use_dictionary": True, "write_page_checksum": True, **how})
    return sink.getvalue()


NOTHING: Final[dict[str, list[Any]]] = {name: [None] for name in SCHEMA.names}
CLEAN: Final = {
    "token": ["4111111111111112", None, "5500005555555550"],
    "note": ["a note", None, "other"],
    "number": [f"70000000000000{number}" for number in range(10, 50)],
    "other": ["x", None],
    "raw": [b"y", b"", None],
}
FILES: Final[dict[str, Callable[[], bytes]]] = {
    "planted": lambda: written(table(600)),
    "clean": lambda: written(table(600, CLEAN)),
    "all NULL": lambda: written(table(40, NOTHING)),
    "unused values": lambda: written(with_unused(table(300, CLEAN))),
    "unused values beside planted ones": lambda: written(with_unused(table(300))),
    "several row groups": lambda: written(
        pa.concat_tables([table(200), table(200, CLEAN), table(200, NOTHING), table(200)]),
        row_group_size=200,
    ),
    "slices": lambda: written(pa.concat_tables([table(500).slice(3, 250), table(700).slice(401)]), row_group_size=170),
    "plain in the middle": lambda: written(
        pa.concat_tables([table(900), table(900, {**VALUES, "note": [f"{at} {PAN}" for at in range(900)]}), table(90)]),
        dictionary_pagesize_limit=2_000,
        data_page_size=500,
        write_batch_size=50,
    ),
    "few repeat": lambda: written(table(500, {**VALUES, "note": [f"{at} {PAN}" for at in range(499)]})),
    "data pages of version 2": lambda: written(table(600), data_page_version="2.0", compression="zstd"),
    "statistics in pages": lambda: written(table(600), write_page_index=True, data_page_size=200, write_batch_size=50),
    "no dictionary": lambda: written(table(60), use_dictionary=False),
    "no row": lambda: written(table(0)),
}


def seen(location: StagingLocation, content: bytes, rows: int) -> tuple[Seen, list[list[int]]]:
    """Returns what a worker sees in a file, and the hashes of what must be unique."""
    name = f"{location.prefix}/batches/{next(_NAMES)}.parquet"
    StagingBucket(location).write(name, content, "application/octet-stream")
    found, *parts = look_at(location, Share(((name, rows),)), RULES, 1)
    assert isinstance(found, Seen)
    return found, [part.hashes.tolist() for part in parts if isinstance(part, HashPart)]


def read(content: bytes) -> Iterator[pa.RecordBatch]:
    """Yields the batches of a file."""
    nowhere = StagingLocation("bucket", "staged", None)
    yield from batches_by_value(nowhere, io.BytesIO(content), pq.read_metadata(pa.BufferReader(content)))


def plainly(patch: pytest.MonkeyPatch) -> None:
    """Lets no column come as its different values from now on."""
    patch.setattr(batches, "dictionary_sizes", lambda _: {})


@pytest.mark.stack
@pytest.mark.parametrize("most", [1 << 17, 64], ids=["whole", "in pieces"])
@pytest.mark.parametrize("file", FILES)
def test_both_readings_see_the_same(
    location: StagingLocation, monkeypatch: pytest.MonkeyPatch, file: str, most: int
) -> None:
    """Leaks, card tokens, declared numbers, whatever is counted, and hashes are equal; rows too, and in their order."""
    monkeypatch.setattr(batches, "_MOST_ROWS", most)
    content = FILES[file]()
    rows = pq.read_table(pa.BufferReader(content))
    by_value, encoded = seen(location, content, rows.num_rows), list(read(content))
    plainly(monkeypatch)
    assert seen(location, content, rows.num_rows) == by_value
    assert [row for batch in encoded for row in batch.to_pylist()] == rows.to_pylist()


@pytest.mark.stack
def test_the_planted_leaks_are_seen_and_counted_by_rows(location: StagingLocation) -> None:
    """Each row that names a leaking value counts, and values that no row names do not."""
    found, _ = seen(location, FILES["planted"](), 600)
    assert found.leaks.leaks == {"token": 120, "note": 3 * 75, "raw": 150}
    assert found.leaks.valid_cards == {"token": 240}
    assert found.declared[0]["number"].valid == 4  # of different values
    unused, _ = seen(location, FILES["unused values"](), 300)
    assert (unused.leaks.leaks, unused.leaks.valid_cards) == ({}, {})


def test_which_columns_come_as_their_different_values() -> None:
    """Those whose values repeat and whose pages all go by one dictionary; it holds exactly what rows name."""

    def came(file: str) -> list[list[str]]:
        found = []
        for batch in read(FILES[file]()):
            encoded = [name for name in SCHEMA.names if pa.types.is_dictionary(batch.column(name).type)]
            for name in encoded:
                column = batch.column(name)
                assert sorted(column.dictionary.to_pylist()) == sorted(set(column.to_pylist()) - {None})
            found.append(encoded)
        return found

    assert came("unused values") == came("data pages of version 2") == [SCHEMA.names]
    assert came("several row groups") == [SCHEMA.names] * 4
    assert "note" not in came("plain in the middle")[0]
    assert "note" not in came("few repeat")[0]
    assert came("no dictionary") == [[]]


def kept(values: list[str], old: bytes = b"", new: bytes = b"") -> bytes:
    """Returns a file that keeps a column of values eight times, changed behind its writer's back: the first `old`."""
    rows = pa.table({"c": values * 8})
    content = written(rows, compression="none", write_statistics=False, write_page_checksum=False)
    assert old in content
    return content.replace(old, new, 1)


def test_a_dictionary_that_holds_a_value_twice_hides_nothing() -> None:
    """Arrow would name other values than rows do, none of them the card number: the file is refused, in our words."""
    values = ["first", "other", PAN, "last"]
    content = kept(values, b"other", b"first")
    assert pq.read_table(pa.BufferReader(content))["c"].to_pylist().count(PAN) == 8
    by_arrow = pq.read_table(pa.BufferReader(content), read_dictionary=["c"])["c"].combine_chunks()
    assert by_arrow.indices.to_pylist() == [0, 1, 2, 3] * 8
    assert by_arrow.dictionary.to_pylist() == ["first", PAN, "last"]  # rows that name PAN seem to name the last
    with pytest.raises(StageChanged) as refused:
        list(read(content))
    assert PAN not in str(refused.value) + repr(refused.value)
    (batch,) = read(kept(values))
    assert (batch.column("c").to_pylist(), pa.types.is_dictionary(batch.column("c").type)) == (values * 8, True)


def test_a_row_that_names_no_value_is_refused() -> None:
    """Arrow checks no index of a dictionary that it hands on; here a row names the fourth of three values."""
    values = ["first", "other", PAN, "first"]
    places, one_beyond = bytes([0b00_10_01_00]) * 8, bytes([0b00_11_01_00])
    with pytest.raises(StageChanged):
        list(read(kept(values, places, one_beyond + places[1:])))
    (batch,) = read(kept(values))
    assert batch.column("c").to_pylist() == values * 8


def test_random_columns_come_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the sizes of row groups, pages and dictionaries, rows come in their order, with their values."""
    random = np.random.default_rng(14)
    for _ in range(40):
        different, rows = int(random.integers(1, 60)), int(random.integers(1, 400))
        words = [*(f"{'w' * int(random.integers(0, 30))}{number}" for number in range(different)), None]
        column = [words[place] for place in random.integers(0, len(words), rows)]
        content = written(
            pa.table({"c": pa.array(column, pa.string())}),
            row_group_size=int(random.integers(1, 200)),
            data_page_size=int(random.integers(1, 300)),
            write_batch_size=int(random.integers(1, 100)),
            dictionary_pagesize_limit=int(random.integers(1, 1_000)),
        )
        monkeypatch.setattr(batches, "_MOST_ROWS", int(random.integers(1, 300)))
        assert [value for batch in read(content) for value in batch.column("c").to_pylist()] == column
