"""What every strategy promises, whatever it is: shape, nulls, encodings, examples, and silence about values."""

from __future__ import annotations

import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal, get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from masking.errors import KagemushaError
from masking.examples import EXAMPLE_DAY, example_keyring, executed
from masking.strategies import AnyStrategy, Example, MaskContext, Masked, Null, Strategy
from masking.strategies.base import MaskingFailed

KINDS: tuple[type[Strategy], ...] = get_args(get_args(AnyStrategy)[0])
ADAPTER: TypeAdapter[Strategy] = TypeAdapter(AnyStrategy)
CONFIGURED: tuple[Strategy, ...] = tuple(
    ADAPTER.validate_python(parameters)
    for parameters in (
        {"strategy": "keep", "why": "for the test"},
        {"strategy": "drop"},
        {"strategy": "null"},
        {"strategy": "redact"},
        {"strategy": "tokenize", "domain": "d"},
        {"strategy": "tokenize", "domain": "d", "normalize": ["trim", "email"]},
        {"strategy": "pseudonymize", "domain": "d", "normalize": ["kana"]},
        {"strategy": "pseudonymize", "domain": "d", "algorithm": "hmac_sha256", "normalize": ["jp_phone"]},
        {"strategy": "fpe", "domain": "d"},
        {"strategy": "fpe", "domain": "d", "keep_first": 6, "keep_last": 4, "normalize": ["digits"]},
        {"strategy": "fpe", "domain": "d", "format": "alphanumeric"},
        {"strategy": "truncate_pan"},
        {"strategy": "partial", "keep_first": 1, "keep_last": 2},
        *({"strategy": "generalize_date", "to": to} for to in ("year", "quarter", "month", "age_band")),
        {"strategy": "shift_date", "domain": "d", "entity": "who"},
        {"strategy": "bucket", "edges": [Decimal("0.5"), 10]},
        {"strategy": "round", "to": 10},
        {"strategy": "postal_area"},
        {"strategy": "prefecture"},
        {"strategy": "email_domain"},
        {"strategy": "ip_prefix"},
        {"strategy": "scrub_text"},
        {"strategy": "json_fields", "fields": {"a.b": {"strategy": "tokenize", "domain": "d"}}},
    )
)
CANARY = "4929-0000-kanariya-taro"
NUMBER = 4929000011112222
MOMENT = datetime(2023, 8, 31, 15, tzinfo=UTC)
ROWS: dict[pa.DataType, list[object]] = {
    pa.string(): [CANARY, None, "4111111111111111", "", "a@gmail.com", '{"a": {"b": 1}}', "東京都", "１５０－０００１"],
    pa.large_string(): [None, CANARY, "1990-04-01", "😀" * 40, "{", "x" * 3000, "2001:db8::1"],
    pa.binary(): [CANARY.encode(), None, b"\xff\x00"],
    pa.binary(4): [b"abcd", None, b"\xff\x00\x01\x02"],
    pa.int64(): [NUMBER, None, 0, -(2**63), 2**63 - 1],
    pa.uint64(): [NUMBER, None, 2**64 - 1],
    pa.int8(): [-128, None, 127],
    pa.decimal128(20, 2): [Decimal(NUMBER), None, Decimal("-0.01"), Decimal("999999999999999999.99")],
    pa.decimal128(38, 0): [Decimal("9" * 38), None, Decimal(NUMBER)],
    pa.float64(): [float(NUMBER), None, float("nan"), float("inf"), -0.0],
    pa.bool_(): [True, None, False],
    pa.date32(): [date(1990, 4, 1), None, date(1, 1, 1), date(9999, 12, 31)],
    pa.timestamp("us", "UTC"): [MOMENT, None, MOMENT - timedelta(days=40000)],
    pa.timestamp("ms"): [MOMENT.replace(tzinfo=None), None],
    pa.null(): [None, None],
}
"""For each type, values that some strategies read and others cannot."""


def given_for(rows: int) -> MaskContext:
    """Keys, day and an entity of as many rows."""
    return MaskContext(example_keyring(), EXAMPLE_DAY, {"who": pa.array(range(rows), pa.int64())})


def accepted() -> Iterator[tuple[Strategy, pa.DataType]]:
    """All pairs of a strategy and a type that it accepts."""
    for strategy in CONFIGURED:
        for source in ROWS:
            try:
                strategy.output_type(source)
            except KagemushaError:
                continue
            yield strategy, source


PAIRS = list(accepted())


def test_every_strategy_is_tried() -> None:
    """No strategy of the union escapes the tests of this file, and every type is accepted by some."""
    assert {type(strategy) for strategy in CONFIGURED} == set(KINDS)
    assert {type(strategy) for strategy, _ in PAIRS} == set(KINDS)
    assert {source for _, source in PAIRS} == set(ROWS)


@pytest.mark.parametrize(("strategy", "source"), PAIRS, ids=[f"{s.strategy}-{t}" for s, t in PAIRS])
def test_masks_any_column_of_an_accepted_type(strategy: Strategy, source: pa.DataType) -> None:
    """The result has the promised type and length; nulls stay null; an unmasked row is null and flagged; no error."""
    column = pa.array(ROWS[source], source)
    masked = strategy.mask(column, given_for(len(column)))
    assert masked.values.type == strategy.output_type(source)
    assert len(masked.values) == len(column)
    masked.values.validate(full=True)
    invalid = np.zeros(len(column), np.bool_) if masked.invalid is None else masked.invalid
    present, shown = np.asarray(column.is_valid()), np.asarray(masked.values.is_valid())
    assert not (shown & ~present).any(), "a null became a value"
    assert not (invalid & (shown | ~present)).any(), "an invalid row shows a value"
    if strategy.strategy not in ("null", "drop"):
        assert (present == (shown | invalid)).all(), "a value vanished without being counted"
    pattern = strategy.token_pattern()
    if pattern is not None:
        assert all(re.search(pattern, text) for text in masked.values.drop_null().to_pylist())


@pytest.mark.parametrize(("strategy", "source"), PAIRS, ids=[f"{s.strategy}-{t}" for s, t in PAIRS])
def test_encodings_and_slices_do_not_matter(strategy: Strategy, source: pa.DataType) -> None:
    """A slice, chunks, a dictionary, all nulls and no rows at all are masked as the plain column is."""
    column = pa.array(ROWS[source], source)
    rows = len(column)
    whole = strategy.mask(column, given_for(rows))
    flags = np.zeros(rows, np.bool_) if whole.invalid is None else whole.invalid

    def same(other: pa.Array, at: slice, given: MaskContext) -> None:
        masked = strategy.mask(other, given)
        values = masked.values.dictionary_decode() if pa.types.is_dictionary(masked.values.type) else masked.values
        if not pa.types.is_floating(values.type):  # NaN differs from itself
            assert values.equals(whole.values[at])
        invalid = np.zeros(len(other), np.bool_) if masked.invalid is None else masked.invalid
        assert invalid.tolist() == flags[at].tolist()

    given = given_for(rows)
    same(pa.chunked_array([column[:1], column[1:]]), slice(None), given)
    if not pa.types.is_null(source):
        same(column.dictionary_encode(), slice(None), given)
    rest = MaskContext(given.keys, given.day, {"who": given.columns["who"][1:]})
    same(column[1:], slice(1, None), rest)
    same(column[:0], slice(0, 0), given_for(0))
    empty = strategy.mask(pa.nulls(3, source), given_for(3))
    assert empty.values.null_count == 3
    assert empty.invalid is None


@pytest.mark.parametrize(("strategy", "source"), PAIRS, ids=[f"{s.strategy}-{t}" for s, t in PAIRS])
def test_an_encoded_column_may_stay_encoded(strategy: Strategy, source: pa.DataType) -> None:
    """Its values and invalid rows are those of the plain column; each masked value is there once, null never."""
    if pa.types.is_null(source) or pa.types.is_null(strategy.output_type(source)):
        return
    column = pa.array([*ROWS[source], *ROWS[source]], source)
    given = given_for(len(column))
    plain = strategy.mask(column, given)
    masked = strategy.mask(column.dictionary_encode(), given, encoded=True)
    invalid = [None if flagged is None else flagged.tolist() for flagged in (plain.invalid, masked.invalid)]
    assert invalid[0] == invalid[1]
    if strategy.row_wise:
        assert masked.values.equals(plain.values)
        return
    assert masked.values.null_count == plain.values.null_count
    assert masked.values.dictionary.null_count == 0
    assert len(masked.values.dictionary.unique()) == len(masked.values.dictionary)
    if not pa.types.is_floating(plain.values.type):  # NaN differs from itself
        assert masked.values.dictionary_decode().equals(plain.values)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_examples_are_true(kind: type[Strategy]) -> None:
    """Every documented example gives what it says, and every strategy but drop has one."""
    assert kind.examples or kind.__name__ == "Drop"
    for example in kind.examples:
        masked = executed(kind, example)
        assert masked.values.to_pylist() == [result for _, result in example.rows]
        assert masked.invalid is None


@pytest.mark.parametrize("strategy", CONFIGURED, ids=lambda strategy: strategy.strategy)
def test_unreadable_text_is_counted(strategy: Strategy) -> None:
    """Bytes that are not UTF-8 in a text column are invalid, and their neighbors are masked."""
    offsets = pa.py_buffer(np.array([0, 3, 5], np.int32))
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"abc\xff\xfe")])
    try:
        strategy.output_type(pa.string())
    except KagemushaError:
        return
    masked = strategy.mask(broken, given_for(2))
    masked.values.validate(full=True)
    if strategy.reads_values:
        assert masked.invalid is not None
        assert masked.invalid[1]
    else:
        assert masked.invalid is None


UNFRIENDLY: tuple[str, ...] = (
    "12345",
    "😀👩‍👩‍👧",
    "1" * 10_000_000,
    '{"a": {"b": "' + "x" * 10_000_000 + '"}}',
    '{"a": {"b": "\\ud800"}}',
    '{"a": {"b": 1e999999}}',
    '{"a":' * 5_000 + "1" + "}" * 5_000,
    "\0",
    " " * 1_000,
    "@" * 10_000,
    "2023-13-45",
    "203.0.113.7/33",
    "\ud800",
)
"""Too short, too long, broken and absurd text; the last one is a lone surrogate, which is no UTF-8."""


@pytest.mark.parametrize("strategy", CONFIGURED, ids=lambda strategy: strategy.strategy)
def test_unfriendly_text_is_masked_or_counted(strategy: Strategy) -> None:
    """No text stops a strategy: it is masked or flagged, and five digits are too few and a surrogate is no text."""
    if not any(source == pa.string() for one, source in PAIRS if one is strategy):
        with pytest.raises(KagemushaError):
            strategy.output_type(pa.string())
        return
    column = pa.array([text.encode("utf-8", "surrogatepass") for text in UNFRIENDLY], pa.binary()).view(pa.string())
    masked = strategy.mask(column, given_for(len(column)))
    masked.values.validate(full=True)
    invalid = np.zeros(len(column), np.bool_) if masked.invalid is None else masked.invalid
    if strategy.strategy not in ("null", "drop"):
        assert (invalid ^ np.asarray(masked.values.is_valid())).all()
    assert invalid[-1] == strategy.reads_values
    if strategy.strategy == "fpe" and strategy.token_pattern() != "^[0-9A-Za-z]{4,128}$":
        assert invalid[0]


def everything_of(error: BaseException) -> str:
    """All that an error could show: text, arguments, attributes, traceback with context, pickle."""
    parts = [str(error), repr(error), repr(error.args), repr(vars(error)), "".join(traceback.format_exception(error))]
    return "\n".join([*parts, repr(error.__context__), repr(error.__cause__), repr(pickle.dumps(error))])


def outcome(attempt: Callable[[pa.Array, MaskContext], Masked], column: pa.Array) -> Masked | KagemushaError:
    """What an attempt gives or raises; any error but our own passes."""
    try:
        return attempt(column, given_for(len(column)))
    except KagemushaError as error:
        return error


@pytest.mark.parametrize("strategy", CONFIGURED, ids=lambda strategy: strategy.strategy)
@pytest.mark.parametrize("source", [*ROWS, pa.list_(pa.int64()), pa.struct([("a", pa.int64())])], ids=str)
def test_no_error_shows_a_value(strategy: Strategy, source: pa.DataType) -> None:
    """Whatever a strategy refuses, its error names the type only: no value, no foreign error behind it."""
    planted: list[object] = ROWS.get(source, [])
    column = pa.array(planted or ([[NUMBER]] if pa.types.is_list(source) else [{"a": NUMBER}]), source)
    for attempt in (strategy.mask, strategy.unmask):
        result = outcome(attempt, column)
        shown = everything_of(result) if isinstance(result, KagemushaError) else repr(result)
        assert "kanariya" not in shown
        assert str(NUMBER) not in shown
        assert getattr(result, "__context__", None) is None
        assert getattr(result, "__cause__", None) is None


class Careless(Strategy):
    """Lets Arrow raise an error that quotes the value, as a bug in a strategy would."""

    strategy: Literal["careless"] = "careless"
    reversible: ClassVar[bool] = True

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Promises numbers of any column."""
        return source

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        return Masked(column.cast(pa.int64()))

    def _revert(self, tokens: pa.Array, given: MaskContext, version: int | None) -> Masked:
        del version
        return self._apply(tokens, given)


def test_a_library_error_that_quotes_a_value_is_replaced() -> None:
    """What Arrow says about a value stays inside; the error that leaves names the strategy and keeps nothing behind."""
    column = pa.array([CANARY])
    with pytest.raises(pa.ArrowInvalid, match=CANARY):
        column.cast(pa.int64())
    for attempt in (Careless().mask, Careless().unmask):
        error = outcome(attempt, column)
        assert isinstance(error, MaskingFailed)
        assert "kanariya" not in everything_of(error)
        assert error.__context__ is None
        assert error.__cause__ is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_parameters_out_of_place_are_refused_without_quoting_them(kind: type[Strategy]) -> None:
    """Unknown parameters are refused, and the message does not repeat what was written."""
    with pytest.raises(ValidationError) as caught:
        kind.model_validate({"strategy": kind.model_fields["strategy"].default, "surprise": CANARY})
    assert "kanariya" not in str(caught.value)


@pytest.mark.parametrize(
    "parameters",
    [
        {"strategy": "keep"},
        {"strategy": "keep", "why": "  "},
        {"strategy": "tokenize"},
        {"strategy": "tokenize", "domain": "Card Numbers"},
        {"strategy": "tokenize", "domain": "card", "normalize": ["rot13"]},
        {"strategy": "pseudonymize", "domain": "card", "algorithm": "sha256"},
        {"strategy": "fpe", "domain": "pan", "keep_first": 7},
        {"strategy": "truncate_pan", "keep_first": 0, "keep_last": 0},
        {"strategy": "truncate_pan", "keep_first": 10},
        {"strategy": "partial", "fill": "1"},
        {"strategy": "generalize_date", "to": "day"},
        {"strategy": "bucket", "edges": []},
        {"strategy": "bucket", "edges": [5, 5]},
        {"strategy": "round", "to": 0},
        {"strategy": "ip_prefix", "v4": 32},
        {"strategy": "ip_prefix", "v6": 64},
        {"strategy": "email_domain", "known": ["@gmail.com"]},
        {"strategy": "json_fields", "fields": {}},
        {"strategy": "json_fields", "fields": {"a": {"strategy": "drop"}}},
        {"strategy": "json_fields", "fields": {"a": {"strategy": "null"}, "a.b": {"strategy": "null"}}},
        {"strategy": "json_fields", "fields": {"a..b": {"strategy": "null"}}},
        {"strategy": "json_fields", "fields": {"a": {"strategy": "partial", "on_invalid": "null"}}},
        {"strategy": "fpe", "domain": "pan", "quarantine_budget": 3},
        {"strategy": "fpe", "domain": "pan", "on_invalid": "quarantine", "quarantine_budget": 0},
        {"strategy": "md5"},
    ],
    ids=str,
)
def test_parameters_that_break_a_promise_are_refused(parameters: dict[str, object]) -> None:
    """A contract cannot ask for what a strategy does not promise."""
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(parameters)


def test_an_unquoted_null_of_yaml_is_understood() -> None:
    """YAML reads `strategy: null` and `on_invalid: null` as no value; both mean the word."""
    assert ADAPTER.validate_python({"strategy": None, "on_invalid": None}) == Null(on_invalid="null")


def test_strategies_travel() -> None:
    """A strategy survives pickling, so a plan may go to workers."""
    assert pickle.loads(pickle.dumps(CONFIGURED)) == CONFIGURED  # noqa: S301 - our own bytes


@settings(max_examples=60, deadline=None)
@for_all(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=30), max_size=20))
def test_any_text_is_masked_or_counted(texts: list[str | None]) -> None:
    """No text whatever makes a strategy fail as a whole, and masking twice gives the same."""
    column = pa.array(texts, pa.string())
    for strategy, source in PAIRS:
        if source != pa.string():
            continue
        masked = strategy.mask(column, given_for(len(column)))
        assert masked.values.type == strategy.output_type(source)
        assert masked.values.equals(strategy.mask(column, given_for(len(column))).values)
        assert masked.invalid is None or not (masked.invalid & np.asarray(masked.values.is_valid())).any()


def test_an_example_says_its_type() -> None:
    """Examples are plain data: their default source is text."""
    assert Example((("a", "b"),)).source == pa.string()
