"""The leak gate counts rows of any column that may hide a leak, whatever its Arrow shape, and no machine-made text."""

from __future__ import annotations

import random
import resource
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import StrategyMisused
from masking.leaks import Leak, LeakKind, count_leaks, find_leaks, find_spans
from masking.leaks.suspects import LOT_BYTES

PAN = "4111111111111111"
ROWS = [PAN, None, "memo", "tel 090-1234-5678", "", f"カード{PAN}", "taro@example.jp", PAN]
EXPECTED = {LeakKind.PAN: 3, LeakKind.PHONE: 1, LeakKind.EMAIL: 1}


@pytest.mark.parametrize(
    "column",
    [
        pa.array(ROWS),
        pa.array(ROWS, pa.large_string()),
        pa.array(ROWS).dictionary_encode(),
        pa.array(ROWS).cast(pa.binary()),
        pa.array(ROWS).cast(pa.large_binary()),
        pa.array(["x", *ROWS, PAN]).slice(1, len(ROWS)),
        pa.chunked_array([ROWS[:3], ROWS[3:]]),
        pa.array([PAN, *ROWS]).dictionary_encode().slice(1),
    ],
    ids=["string", "large", "dictionary", "binary", "large binary", "slice", "chunks", "dictionary slice"],
)
def test_the_shape_of_a_column_hides_nothing(column: pa.Array) -> None:
    """Counts are the same for every encoding, for slices and for chunks."""
    assert count_leaks(column) == EXPECTED


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([int(PAN), None, 5, -5]), {LeakKind.PAN: 1}),
        (pa.array([int(PAN), 4000000000000000006], pa.uint64()), {LeakKind.PAN: 2}),
        (pa.array([123456789018, 123456789017]), {LeakKind.MY_NUMBER: 1}),
        (pa.array([Decimal(PAN), Decimal(12), None]), {LeakKind.PAN: 1}),
        (pa.array([Decimal(PAN + ".00"), Decimal(PAN + ".50"), None]), {LeakKind.PAN: 1}),
        (pa.array([Decimal(PAN)], pa.decimal256(50, 2)), {LeakKind.PAN: 1}),
        (pa.array([float(PAN), float("nan"), float("inf"), 0.5, None]), {LeakKind.PAN: 1}),
        (pa.array([int(PAN), 1]).dictionary_encode(), {LeakKind.PAN: 1}),
    ],
)
def test_numbers_are_scanned_too(column: pa.Array, expected: dict[LeakKind, int]) -> None:
    """A card number or My Number in a column of whole numbers, decimals or floats is found."""
    assert count_leaks(column) == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array([], pa.string()),
        pa.nulls(3, pa.string()),
        pa.nulls(3),
        pa.array([True, None]),
        pa.array([datetime(2023, 8, 31, tzinfo=UTC)]),
        pa.array([1, 2], pa.int32()),
        pa.array([Decimal("1.00")], pa.decimal128(5, 2)),
        pa.array([b"\xff\xfe\xed\xa0\x80", b"\xef\xbc", b"\xe3\x80", b"\xc2"]),
        pa.array(["😀" * 20, "\u0000" * 20, "0" * 64]),
    ],
)
def test_columns_without_leaks_count_nothing(column: pa.Array) -> None:
    """Empty, null and short columns, broken UTF-8 and emoji give no leak and no error."""
    assert count_leaks(column) == {}


@pytest.mark.parametrize("column", [pa.array([[PAN]]), pa.array([{"a": PAN}]), pa.array([PAN], pa.string_view())])
def test_columns_that_cannot_be_scanned_are_refused(column: pa.Array) -> None:
    """A column whose values cannot be scanned never passes the gate unseen; the error names it and quotes nothing."""
    with pytest.raises(StrategyMisused) as refused:
        find_leaks(pa.record_batch({"odd": column}), {})
    assert refused.value.where == {"column": "odd"}
    assert PAN not in repr(refused.value) + str(refused.value)


def test_what_stands_under_a_null_is_no_value() -> None:
    """Bytes left in the buffer of a null row do not count."""
    strings = pa.array([PAN, PAN])
    validity = pa.py_buffer(bytes([0b01]))
    column = pa.Array.from_buffers(pa.string(), 2, [validity, *strings.buffers()[1:]])
    assert count_leaks(column) == {LeakKind.PAN: 1}


def test_values_that_no_row_names_are_no_leak() -> None:
    """A dictionary may hold more than rows name; what they do not name is not there, and what they name counts."""
    dictionary = pa.array([PAN, "x", "taro@example.jp"])
    for indices, expected in (([1, None, 1], ()), ([1, 0, None, 0], (Leak("c", LeakKind.PAN, 2),))):
        column = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), dictionary)
        assert find_leaks(pa.record_batch({"c": column}), {}) == expected


def test_a_column_may_hold_what_its_contract_allows() -> None:
    """Only what a column may not hold is reported, by column and kind, with the number of rows."""
    batch = pa.record_batch({"memo": [PAN, "taro@example.jp"], "help_desk": ["03-1234-5678", PAN], "n": [1, 2]})
    found = find_leaks(batch, {"help_desk": frozenset({LeakKind.PHONE})})
    assert set(found) == {
        Leak("memo", LeakKind.PAN, 1),
        Leak("memo", LeakKind.EMAIL, 1),
        Leak("help_desk", LeakKind.PAN, 1),
    }


def test_rows_are_found_across_chunks() -> None:
    """A leak is found wherever it stands in a column of many chunks, and its row and bytes are exact."""
    filler = "0123456789 x"
    rows = 3 * LOT_BYTES // len(filler)
    texts = [filler] * rows
    places = [0, 1, rows // 3, rows // 2, rows - 1]
    for place in places:
        texts[place] = f"カ {PAN}"
    spans = find_spans(pa.array(texts), frozenset({LeakKind.PAN}))
    assert [span.row for span in spans] == places
    assert {(span.start, span.end) for span in spans} == {(4, 20)}


def _token(random_bits: random.Random) -> str:
    return f"k{random_bits.randrange(1, 120)}_{random_bits.getrandbits(256):064x}"


def _moment(bits: random.Random) -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=bits.randrange(10**15))


MACHINE_TEXT: dict[str, Callable[[random.Random], str]] = {
    "own tokens": _token,
    "short own tokens": lambda bits: f"k1_{bits.getrandbits(128):032x}",
    "UUIDs": lambda bits: str(uuid.UUID(int=bits.getrandbits(128), version=4)),
    "SHA-256": lambda bits: f"{bits.getrandbits(256):064x}",
    "ISO timestamps": lambda bits: _moment(bits).isoformat(),
    "timestamps with a space": lambda bits: _moment(bits).isoformat(sep=" "),
    "two timestamps": lambda bits: f"{_moment(bits):%Y-%m-%d %H:%M:%S} {_moment(bits):%Y-%m-%d %H:%M:%S}",
    "three dates": lambda bits: " ".join(f"{_moment(bits):%Y-%m-%d}" for _ in range(3)),
    "minutes": lambda bits: f"{_moment(bits):%Y%m%d%H%M}",
    "seconds": lambda bits: f"{_moment(bits):%Y%m%d%H%M%S}",
    "microseconds": lambda bits: f"{_moment(bits):%Y%m%d%H%M%S%f}",
    "epoch milliseconds": lambda bits: str(int(_moment(bits).timestamp() * 1000)),
    "amounts": lambda bits: f"{bits.randrange(10**9)}.{bits.randrange(100):02d}",
    "decimals": lambda bits: f"{bits.randrange(10**6)}.{bits.randrange(10**9):09d}",
    "floats": lambda bits: repr(bits.random() * 10 ** bits.randrange(5)),
    "coordinates": lambda bits: f"{bits.uniform(24, 46)} {bits.uniform(122, 146)}",
    "JSON numbers": lambda bits: f'{{"a":{bits.random()},"b":[{bits.random() * 90},{bits.randrange(10**6)}]}}',
    "IP addresses": lambda bits: " ".join(".".join(str(bits.randrange(256)) for _ in range(4)) for _ in range(3)),
    "padded numbers": lambda bits: f"{bits.randrange(10**8):010d}",
}


@pytest.mark.parametrize("shape", MACHINE_TEXT)
def test_machine_text_is_no_leak(shape: str) -> None:
    """Among 20,000 values of each machine-made shape none is taken for a leak."""
    bits = random.Random(20231101)  # noqa: S311 - sample texts, not secrets
    assert count_leaks(pa.array([MACHINE_TEXT[shape](bits) for _ in range(20_000)])) == {}


@pytest.mark.parametrize("text", ["x" * 10_000_000, "あ" * 3_000_000, "1 " * 2_000_000, "a@" * 500_000])
def test_long_strings_are_scanned_in_bounded_memory(text: str) -> None:
    """A value of 10 MB is scanned to its end without multiplying memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert count_leaks(pa.array([text + " " + "x " + PAN]))[LeakKind.PAN] == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 * 1024


@given(st.lists(st.none() | st.sampled_from(ROWS) | st.text(max_size=30), max_size=30), st.data())
def test_counts_add_up_over_slices(texts: list[str | None], data: st.DataObject) -> None:
    """Cutting a column anywhere changes no count."""
    column = pa.array(texts, pa.string())
    cut = data.draw(st.integers(0, len(texts)))
    assert count_leaks(column) == count_leaks(column.slice(0, cut)) + count_leaks(column.slice(cut))


@pytest.mark.parametrize("scale", [0, 2, 10])
@pytest.mark.parametrize("whole", range(1, 29))
def test_decimals_of_every_width_are_looked_at(whole: int, scale: int) -> None:
    """A narrow decimal holds no card number and is no error; a wide one shows the number that it holds."""
    kind = pa.decimal128(whole + scale, scale)
    holds = whole >= len("4111111111111111")
    column = pa.array([Decimal(4111111111111111) if holds else Decimal(1), None], kind)
    for own in ((), ("411111",)):
        leaks = find_leaks(pa.record_batch({"amount": column}), {}, own)
        assert bool(leaks) is holds
