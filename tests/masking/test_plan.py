"""A mask plan turns batches into the schema it promised, refuses what it was not made for, and counts what it nulls."""

from __future__ import annotations

import pickle
import traceback
from datetime import date

import pyarrow as pa
import pytest

from masking.errors import InvalidValues, KagemushaError, StrategyMisused
from masking.examples import EXAMPLE_DAY, example_keyring
from masking.leaks import LeakKind
from masking.plan import BatchMismatch, ColumnRule, MaskPlan, PlanContradiction
from masking.strategies import Bucket, Drop, Fpe, Keep, MaskContext, Partial, Round, ShiftDate, Tokenize

KEYS = example_keyring()
RULES = (
    ColumnRule("card_id", pa.int64(), Tokenize(domain="card")),
    ColumnRule("pan", pa.string(), Fpe(domain="pan")),
    ColumnRule("cvv2", pa.string(), Drop()),
    ColumnRule("amount", pa.decimal128(12, 0), Round(to=100)),
    ColumnRule("status", pa.string(), Keep(why="five codes"), frozenset({LeakKind.PHONE})),
    ColumnRule("issued_on", pa.date32(), ShiftDate(domain="card", entity="card_id")),
)
PLAN = MaskPlan(RULES, EXAMPLE_DAY)


def batch(pans: list[str | None], **changed: pa.Array) -> pa.RecordBatch:
    """A batch of as many rows as PANs, without the dropped column, as the reader gives it."""
    rows = len(pans)
    columns = {
        "card_id": pa.array(range(rows), pa.int64()),
        "pan": pa.array(pans, pa.string()),
        "amount": pa.array([1234] * rows, pa.int64()).cast(pa.decimal128(19, 0)).cast(pa.decimal128(12, 0)),
        "status": pa.array(["open"] * rows, pa.string()),
        "issued_on": pa.array([date(2023, 8, 1)] * rows, pa.date32()),
    }
    return pa.record_batch({**columns, **changed})


def test_batches_have_the_promised_schema() -> None:
    """The schema is known without data, in the order of the rules, without the dropped column."""
    assert PLAN.output_schema == pa.schema(
        [
            ("card_id", pa.string()),
            ("pan", pa.string()),
            ("amount", pa.decimal128(12, 0)),
            ("status", pa.string()),
            ("issued_on", pa.date32()),
        ]
    )
    for pans in (["4111111111111111", None], []):
        masked = PLAN.mask(batch(pans), KEYS)
        assert masked.batch.schema == PLAN.output_schema
        assert masked.batch.num_rows == len(pans)
        assert masked.nulled == {}


def test_the_order_and_encoding_of_the_batch_do_not_matter() -> None:
    """Columns are found by name; wide offsets and dictionaries give the same masked batch."""
    plain = batch(["4111111111111111", "4111111111111111", None])
    other = batch(
        ["4111111111111111", "4111111111111111", None],
        pan=plain.column("pan").dictionary_encode(),
        status=plain.column("status").cast(pa.large_string()),
    ).select(["status", "issued_on", "pan", "card_id", "amount"])
    assert PLAN.mask(other, KEYS).batch.equals(PLAN.mask(plain, KEYS).batch)


def test_encoded_columns_may_stay_encoded() -> None:
    """The rows are those of plain columns, also of a strategy that looks at another column of the row."""
    plain = batch(["4111111111111111", "4111111111111111", None])
    encoded = pa.record_batch([column.dictionary_encode() for column in plain.columns], names=plain.schema.names)
    masked = PLAN.mask(encoded, KEYS, encoded=True).batch
    assert [pa.types.is_dictionary(kind) for kind in masked.schema.types] == [True, True, True, True, False]
    assert masked.to_pydict() == PLAN.mask(plain, KEYS).batch.to_pydict()


def test_a_dropped_column_that_was_read_all_the_same_is_not_published() -> None:
    """`drop` holds even if the reader selects the column."""
    masked = PLAN.mask(batch(["4111111111111111"], cvv2=pa.array(["123"])), KEYS)
    assert "cvv2" not in masked.batch.schema.names


def test_what_is_masked_and_under_which_keys() -> None:
    """The plan says what it does, for the run's record."""
    assert PLAN.masked_columns == ("card_id", "pan", "cvv2", "amount", "issued_on")
    assert PLAN.key_uses == (("card_id", "card", "aes_siv"), ("pan", "pan", "ff1"), ("issued_on", "card", "shift_days"))


def test_a_plan_travels() -> None:
    """A pickled plan is the same plan and masks alike."""
    there = pickle.loads(pickle.dumps(PLAN))  # noqa: S301 - our own bytes
    assert there == PLAN
    assert there.mask(batch(["4111111111111111"]), KEYS).batch.equals(
        PLAN.mask(batch(["4111111111111111"]), KEYS).batch
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (batch(["4111111111111111"], nickname=pa.array(["taro"])), "nickname"),
        (batch(["4111111111111111"]).drop_columns(["status"]), "status"),
        (batch(["4111111111111111"], card_id=pa.array(["7"])), "card_id"),
        (batch(["4111111111111111"], amount=pa.array([1.5])), "amount"),
    ],
)
def test_a_batch_that_was_not_planned_for_is_refused(given: pa.RecordBatch, says: str) -> None:
    """An unknown, missing or retyped column stops the batch and is named: nothing passes by default."""
    with pytest.raises(BatchMismatch, match=says):
        PLAN.mask(given, KEYS)


def test_a_column_twice_is_refused() -> None:
    """Two columns of one name would leave one of them unmasked."""
    twice = pa.RecordBatch.from_arrays([pa.array([1], pa.int64())] * 2, names=["card_id", "card_id"])
    with pytest.raises(BatchMismatch, match="twice: card_id"):
        PLAN.mask(twice, KEYS)


def test_invalid_values_stop_the_batch_with_counts_and_positions_only() -> None:
    """The error names columns, strategy, counts and rows; no value, and no foreign error behind it."""
    planted = "4929000011112223"
    given = batch(["4111111111111111", planted, None, planted])
    with pytest.raises(
        InvalidValues, match=r"2 values of pan cannot be masked by fpe \(row 1, 3 of the batch\)"
    ) as caught:
        PLAN.mask(given, KEYS)
    error = caught.value
    shown = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    assert not any(planted in text for text in shown)
    assert planted.encode() not in pickle.dumps(error)
    assert error.__context__ is None
    assert error.where["column"] == "pan"


def test_invalid_values_become_null_where_the_contract_says_so() -> None:
    """`on_invalid: null` publishes NULL and counts."""
    plan = MaskPlan((ColumnRule("pan", pa.string(), Fpe(domain="pan", on_invalid="null")),), EXAMPLE_DAY)
    masked = plan.mask(pa.record_batch({"pan": ["4111111111111111", "no card", None]}), KEYS)
    assert masked.batch.column("pan").is_null().to_pylist() == [False, True, True]
    assert masked.nulled == {"pan": 1}


def test_invalid_values_take_their_rows_aside_where_the_contract_says_so() -> None:
    """`on_invalid: quarantine` takes the whole row out; it stays at hand in masked form, with the columns at fault."""
    plan = MaskPlan(
        (
            ColumnRule("card_id", pa.int64(), Tokenize(domain="card")),
            ColumnRule("pan", pa.string(), Fpe(domain="pan", on_invalid="quarantine", quarantine_budget=3)),
            ColumnRule("old_pan", pa.string(), Fpe(domain="pan", on_invalid="quarantine")),
            ColumnRule("other_pan", pa.string(), Fpe(domain="pan", on_invalid="null")),
        ),
        EXAMPLE_DAY,
    )
    good, bad = "4111111111111111", "4929000011112223"
    given = pa.record_batch(
        {
            "card_id": pa.array([1, 2, 3, 4], pa.int64()),
            "pan": [good, bad, None, bad],
            "old_pan": [good, bad, good, good],
            "other_pan": [bad, good, good, bad],
        }
    )
    masked = plan.mask(given, KEYS)
    tokens = Tokenize(domain="card").mask(given.column("card_id"), MaskContext(KEYS, EXAMPLE_DAY)).values.to_pylist()
    assert masked.batch.schema == plan.output_schema
    assert masked.batch.column("card_id").to_pylist() == [tokens[0], tokens[2]]
    assert masked.aside is not None
    assert masked.aside.batch.column("card_id").to_pylist() == [tokens[1], tokens[3]]
    assert masked.aside.columns == (("pan", "old_pan"), ("pan",))
    assert masked.aside.batch.column("pan").null_count == 2
    assert masked.nulled == {"other_pan": 1}, "a value of a row that is not published is not published as NULL"
    assert plan.budgets == {"pan": 3, "old_pan": 10}
    assert bad not in repr(masked)


def test_a_batch_without_faults_leaves_nothing_aside() -> None:
    """Quarantine costs nothing where every value can be masked, and a batch may lose all of its rows."""
    plan = MaskPlan((ColumnRule("pan", pa.string(), Fpe(domain="pan", on_invalid="quarantine")),), EXAMPLE_DAY)
    assert plan.mask(pa.record_batch({"pan": ["4111111111111111", None]}), KEYS).aside is None
    assert plan.mask(pa.record_batch({"pan": pa.array([], pa.string())}), KEYS).aside is None
    assert plan.mask(pa.record_batch({"pan": ["no card"]}), KEYS).batch.num_rows == 0


def test_a_fault_without_quarantine_stops_the_batch_all_the_same() -> None:
    """A row in quarantine does not excuse another column whose contract says `fail`."""
    plan = MaskPlan(
        (
            ColumnRule("a", pa.string(), Fpe(domain="pan", on_invalid="quarantine")),
            ColumnRule("b", pa.string(), Fpe(domain="pan")),
        ),
        EXAMPLE_DAY,
    )
    with pytest.raises(InvalidValues, match="1 value of b"):
        plan.mask(pa.record_batch({"a": ["no card"], "b": ["no card"]}), KEYS)


@pytest.mark.parametrize(
    ("rules", "kind", "says"),
    [
        ((RULES[0], RULES[0]), PlanContradiction, "card_id"),
        ((RULES[2], ColumnRule("d", pa.date32(), ShiftDate(domain="m", entity="cvv2"))), PlanContradiction, "cvv2"),
        ((ColumnRule("d", pa.date32(), ShiftDate(domain="m", entity="who"))), PlanContradiction, "who"),
        ((ColumnRule("rate", pa.float64(), Tokenize(domain="m"))), StrategyMisused, "column=rate"),
        ((ColumnRule("name", pa.string(), Bucket(edges=(1,)))), StrategyMisused, "column=name"),
        ((ColumnRule("blob", pa.binary(), Partial())), StrategyMisused, "column=blob"),
    ],
)
def test_rules_that_cannot_hold_are_refused_before_a_row_is_read(
    rules: tuple[ColumnRule, ...] | ColumnRule, kind: type[KagemushaError], says: str
) -> None:
    """A contradiction or a type that a strategy cannot mask is found when the plan is made."""
    with pytest.raises(kind) as caught:
        MaskPlan(rules if isinstance(rules, tuple) else (rules,), EXAMPLE_DAY)
    assert says in str(caught.value)
    assert caught.value.__context__ is None
