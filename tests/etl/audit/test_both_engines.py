"""Two engines, one judgment: what is counted over Arrow and what Spark counts lead to equal verdicts and counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from etl.audit import checks_of
from etl.audit.hashes import hashes_of, repeated
from etl.spark import session_for
from expectations.checks import Check, CheckResult
from expectations.measures import Answer, Counter, Measure, Unique
from expectations.measures.counting import answered
from expectations.questions import Question, question
from expectations.validate import validate
from schemas.contract_file import BUNDLED, load_contracts

SCHEMA: Final = pa.schema([
    ("id", pa.string()),
    ("code", pa.string()),
    ("name", pa.string()),
    ("whole", pa.int64()),
    ("other", pa.int64()),
    ("cost", pa.decimal128(10, 2)),
    ("paid", pa.decimal128(10, 2)),
    ("wide", pa.decimal128(38, 9)),
    ("share", pa.float64()),
    ("open", pa.bool_()),
    ("day", pa.date32()),
    ("due", pa.date32()),
    ("at", pa.timestamp("us", "UTC")),
    ("till", pa.timestamp("us", "UTC")),
    ("clock", pa.timestamp("us")),
    ("raw", pa.binary()),
    ("fee", pa.decimal128(8, 4)),
])  # fmt: skip
NOON: Final = datetime(2023, 8, 30, 3, tzinfo=UTC)
FAULTY: Final[list[tuple[Any, ...]]] = [
    ("a1", "day", "山田 太郎", 1, 1, "0.00", "0.00", "0", 0.0, True, "2023-08-30", "2023-08-30",
     0, 0, 0, b"x", "0.0000"),
    ("a2", "night", "Taro", 2, 1, "1.10", "1.10", "1e9", 0.05, False, "2023-08-31", "2023-08-30",
     1, 0, 1, b"y", "1.1001"),
    ("a2", "dusk", "taro\n", 3, 5, "-2.00", "2.00", "-1", -0.0, None, "2020-02-29", None, -1, 0, 1, b"y", "2"),
    ("", "day", "", 0, None, "99999999.99", None, "0.000000001", math.nan, True, None, "2023-08-30",
     None, 5, 2, b"", "1"),
    (None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None),
    ("a3", "Day", "二郎\r\n", 2**53 + 1, 2**53, "0.05", "0.06", "7", math.inf, False, "1970-01-01", "1969-12-31",
     2, 2, 3, b"\xff", "0.0500"),
    ("a4", "day ", "tarō", -(2**63), 2**63 - 1, "10.00", "10.00", "-9e20", -math.inf, True, "9999-12-31", "0001-01-01",
     3, None, None, b"x", "9999.9999"),
    (None, "night", "x" * 30, 7, 7, "5.50", "5.49", None, 1e-9, None, "2023-08-30", "2023-09-30", 7, 8, 9, None, "5.5"),
]  # fmt: skip
"""NULLs, NaN, infinities, line breaks, Japanese, doubled rows, and values at the ends of their types."""


def table(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Returns rows as Arrow."""

    def read(value: Any, kind: pa.DataType) -> Any:
        if value is None:
            return None
        if pa.types.is_decimal(kind):
            return Decimal(value)
        if pa.types.is_date32(kind):
            return date.fromisoformat(value)
        if pa.types.is_timestamp(kind):
            stamp = datetime.fromtimestamp(NOON.timestamp() + value, tz=UTC)
            return stamp if kind.tz else stamp.replace(tzinfo=None)
        return value

    columns = zip(*rows, strict=True) if rows else [()] * len(SCHEMA)
    arrays = [
        pa.array([read(value, field.type) for value in values], field.type)
        for values, field in zip(columns, SCHEMA, strict=True)
    ]
    return pa.table(arrays, schema=SCHEMA)


def frame(spark: SparkSession, held: pa.Table) -> DataFrame:
    """Returns a table as Spark has it from Arrow, as staged files come to it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, held.schema) as writer:
        writer.write_table(held)
    written = sink.getvalue().to_pybytes()

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield from pa.ipc.open_stream(written)

    return spark.range(0, 1, 1, 1).mapInArrow(read, from_arrow_schema(held.schema))


def counted(held: pa.Table, measures: Sequence[Measure], *, by_value: bool = False) -> dict[Measure, Answer]:
    """Returns the answers of measures over batches of three rows, as workers add them up.

    Args:
        held: the rows.
        measures: what to count.
        by_value: texts and bytes come as their different values.
    """
    answers: dict[Measure, Answer] = {}
    for measure in set(measures):
        batches = [encoded(batch) if by_value else batch for batch in held.to_batches(max_chunksize=3)]
        if isinstance(measure, Unique):
            answers[measure] = measure.answer(repeated([hashes_of(batch, measure) for batch in batches]))
            continue
        counter = Counter([measure])  # type: ignore[list-item]  all others are counted batch by batch
        for batch in batches:
            counter.look(batch)
        answers[measure] = answered(measure, counter.tallies[0])
    return answers


def encoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns a batch whose texts and bytes are kept as their different values, and each row names one."""
    columns = [
        column.dictionary_encode() if pa.types.is_string(column.type) or pa.types.is_binary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def on_spark(spark: SparkSession, held: pa.Table, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
    """Returns each check's result by Great Expectations' Spark engine."""
    cached = frame(session_for(spark, held.num_rows), held).persist()
    try:
        return validate(cached, checks, f"both-{held.num_rows}-{held.column(0).null_count}")
    finally:
        cached.unpersist()


def asked(checks: Sequence[Check]) -> list[Question | None]:
    """Returns what is asked for each check."""
    return [question(check, SCHEMA) for check in checks]


def on_arrow(held: pa.Table, checks: Sequence[Check]) -> list[CheckResult | None]:
    """Returns each check's result over Arrow; None where it is left to Spark."""
    questions = asked(checks)
    answers = counted(held, [measure for one in questions if one for measure in one.measures])
    return [one.judged(answers) if one else None for one in questions]


def check(expect: str, **kwargs: Any) -> Check:
    """Returns a check by its short name."""
    return Check(f"expect_{expect}", kwargs)


VALUES = "column_values_to_"
PLAIN: Final = [
    check("table_row_count_to_equal", value=8),
    check("table_row_count_to_equal", value=9),
    check("table_row_count_to_be_between", min_value=1, max_value=7),
    check("table_column_count_to_equal", value=len(SCHEMA)),
    check("table_column_count_to_be_between", min_value=99),
    check("table_columns_to_match_set", column_set=SCHEMA.names[::-1]),
    check("table_columns_to_match_set", column_set=["id", "code"]),
    check("table_columns_to_match_ordered_list", column_list=SCHEMA.names),
    check("table_columns_to_match_ordered_list", column_list=SCHEMA.names[::-1]),
    check("column_to_exist", column="cost"),
    check("column_to_exist", column="cost", column_index=5),
    check("column_to_exist", column="cost", column_index=4),
    *(check(f"{VALUES}not_be_null", column=name) for name in ("id", "share", "cost", "at", "raw", "open")),
    check(f"{VALUES}be_null", column="due"),
    check(f"{VALUES}not_be_null", column="id", mostly=0.75),
    check(f"{VALUES}not_be_null", column="id", mostly=0.76),
    *(check(f"{VALUES}be_unique", column=name) for name in ("id", "name", "whole", "cost", "day", "at", "raw")),
    check(f"{VALUES}be_unique", column="id", mostly=0.5),
    check(f"{VALUES}be_in_set", column="code", value_set=["day", "night"]),
    check(f"{VALUES}be_in_set", column="code", value_set=["day", "night", "dusk", "Day", "day "]),
    check(f"{VALUES}be_in_set", column="code", value_set=["day", "night"], mostly=0.7),
    check(f"{VALUES}not_be_in_set", column="code", value_set=["dusk"]),
    check(f"{VALUES}be_in_set", column="name", value_set=["山田 太郎", ""]),
    check(f"{VALUES}be_in_set", column="whole", value_set=[1, 2, 3, 2**53 + 1]),
    check(f"{VALUES}be_in_set", column="whole", value_set=[2**53]),
    check(f"{VALUES}be_in_set", column="cost", value_set=[0, 10, 10**12]),
    check(f"{VALUES}not_be_in_set", column="wide", value_set=[0, 7]),
    check(f"{VALUES}be_in_set", column="open", value_set=[True]),
    check(f"{VALUES}match_regex", column="id", regex="^a[0-9]$"),
    check(f"{VALUES}match_regex", column="id", regex="^a[0-9]"),
    check(f"{VALUES}match_regex", column="code", regex=r"^(?:day|night)\w*"),
    check(f"{VALUES}not_match_regex", column="code", regex="^d.y"),
    check(f"{VALUES}match_regex", column="name", regex="."),
    check(f"{VALUES}match_regex", column="name", regex="^[^x]+"),
    check(f"{VALUES}match_regex", column="name", regex="太郎"),
    check(f"{VALUES}match_regex", column="name", regex=r"(?s)^.{2,}"),
    check("column_value_lengths_to_be_between", column="name", min_value=1, max_value=5),
    check("column_value_lengths_to_be_between", column="name", min_value=4, strict_min=True),
    check("column_value_lengths_to_be_between", column="name", max_value=5, strict_max=True),
    check("column_value_lengths_to_equal", column="id", value=2),
]
BOUNDS: Final = [
    check(f"{VALUES}be_between", column=name, min_value=low, max_value=high, strict_min=strict, strict_max=strict)
    for name, low, high, strict in (
        ("whole", 0, 7, False),
        ("whole", 0, 7, True),
        ("whole", 2**53, None, True),
        ("cost", 0, 10, True),
        ("cost", 0.05, None, False),
        ("cost", None, 0.05, True),
        ("cost", None, 9.99999999999e7, False),
        ("wide", -1e300, 1e300, True),
        ("wide", 1e-9, 1e9, False),
        ("wide", 1e-9, 1e9, True),
        ("share", 0, 0.05, False),
        ("share", 0, 0.05, True),
        ("share", -1e300, None, False),
    )
] + [
    check(f"{VALUES}be_between", column="day", min_value=date(2023, 8, 30), max_value=date(2023, 8, 31)),
    check(f"{VALUES}be_between", column="day", max_value=date(2023, 8, 30), strict_max=True, mostly=0.5),
]
AGGREGATES: Final = [
    *(
        check(f"column_{what}_to_be_between", column=name, min_value=low, max_value=high)
        for what, name, low, high in (
            ("mean", "whole", -5e18, -1e18),
            ("mean", "other", 1e18, None),
            ("mean", "cost", 14285716.3057, 14285716.3058),
            ("mean", "wide", None, -1e20),
            ("mean", "share", 0, 1),
            ("sum", "cost", 100000014.14, 100000014.14),
            ("sum", "wide", 0, None),
            ("sum", "whole", 0, None),
            ("min", "cost", -2, -2),
            ("max", "cost", 1, 2),
            ("min", "whole", 0, None),
            ("max", "whole", 2**53, None),
        )
    ),
    check("column_max_to_be_between", column="day", min_value=date(9999, 12, 31)),
    check("column_min_to_be_between", column="day", min_value=date(1970, 1, 2)),
]
GREATER, EQUAL = "column_pair_values_a_to_be_greater_than_b", "column_pair_values_to_be_equal"
PAIRS: Final = [
    *(
        check(how, column_A=one, column_B=other, ignore_row_if=ignored, **more)
        for how, one, other, ignored, more in (
            (GREATER, "whole", "other", "either_value_is_missing", {"or_equal": True}),
            (GREATER, "cost", "paid", "both_values_are_missing", {"or_equal": True, "mostly": 0.6}),
            (GREATER, "cost", "paid", "neither", {}),
            (GREATER, "cost", "fee", "neither", {"or_equal": True}),
            (EQUAL, "fee", "cost", "either_value_is_missing", {}),
            (GREATER, "day", "due", "neither", {"or_equal": True}),
            (GREATER, "at", "till", "either_value_is_missing", {}),
            (GREATER, "name", "code", "neither", {"or_equal": True}),
            (EQUAL, "whole", "other", "either_value_is_missing", {}),
            (EQUAL, "cost", "paid", "both_values_are_missing", {}),
            (EQUAL, "at", "till", "neither", {"mostly": 0.3}),
        )
    ),
    *(
        check("compound_columns_to_be_unique", column_list=names, ignore_row_if=ignored)
        for names, ignored in (
            (["id", "code"], "never"),
            (["open", "raw"], "any_value_is_missing"),
            (["open", "raw"], "all_values_are_missing"),
            (["cost", "paid", "day", "clock"], "never"),
        )
    ),
]
CONDITIONS: Final = [
    check(f"{VALUES}be_between", column="cost", min_value=0, max_value=10, row_condition=condition, mostly=0.9, **more)
    for condition, more in (
        ("code = 'day'", {}),
        ("code <> 'day' and open = true", {}),
        ("`code` IN ('day', 'night') AND whole >= 1", {}),
        ("code NOT IN ('day') AND paid IS NOT NULL", {}),
        ("open IS NULL", {}),
        ("cost > 0.05", {}),
        ("cost <= 1.1", {}),
        ("whole != 2", {}),
        ("wide < 7", {}),
        ('col("code") == "day"', {"condition_parser": "great_expectations"}),
        ('col("paid").notNull()', {"condition_parser": "great_expectations"}),
        ('col("whole") > 2', {"condition_parser": "great_expectations"}),
    )
] + [
    check("table_row_count_to_equal", value=2, row_condition="code = 'day'"),
    check(f"{VALUES}be_unique", column="id", row_condition="code = 'night'"),
    check(f"{VALUES}be_unique", column="id", row_condition="whole > 1"),
    check("column_mean_to_be_between", column="cost", min_value=1, max_value=2, row_condition="whole > 1"),
    check(
        "column_pair_values_a_to_be_greater_than_b",
        column_A="cost",
        column_B="paid",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        row_condition="code <> 'dusk'",
    ),
]
EVERY: Final = [*PLAIN, *BOUNDS, *AGGREGATES, *PAIRS, *CONDITIONS]
LEFT: Final = [
    check(f"{VALUES}be_in_set", column="code", value_set=["day", None]),
    check(f"{VALUES}be_in_set", column="code", value_set=["1", 2]),
    check(f"{VALUES}be_in_set", column="share", value_set=[0.05]),
    check(f"{VALUES}be_between", column="code", min_value=1),
    check(f"{VALUES}be_between", column="at", min_value=date(2023, 8, 30)),
    check(f"{VALUES}match_regex", column="whole", regex="1"),
    check(f"{VALUES}match_regex", column="code", regex="(?=d)"),
    check(f"{VALUES}match_regex", column="code", regex="[a-z&&[^b]]"),
    check(f"{VALUES}match_regex", column="code", regex="(?i)DAY"),
    check(f"{VALUES}match_regex", column="code", regex=r"\s"),
    check(f"{VALUES}be_unique", column="share"),
    check("column_max_to_be_between", column="code", max_value=1),
    check("column_stdev_to_be_between", column="whole", max_value=1),
    check("column_distinct_values_to_be_in_set", column="code", value_set=["day"]),
    check(f"{VALUES}not_be_null", column="id", row_condition="length(code) > 3"),
    check(f"{VALUES}not_be_null", column="id", row_condition="code = 'day' OR open"),
    check(f"{VALUES}not_be_null", column="id", row_condition="wide > 0.0000000001"),
    check(f"{VALUES}not_be_null", column="nowhere"),
    check("column_pair_values_to_be_equal", column_A="whole", column_B="cost"),
]


@pytest.mark.parametrize(
    "rows",
    [FAULTY, [], [(None,) * len(SCHEMA)] * 3, [FAULTY[0], FAULTY[1]]],
    ids=["faulty", "empty", "all NULL", "right"],
)
def test_verdicts_and_counts_are_equal(spark: SparkSession, rows: Sequence[tuple[Any, ...]]) -> None:
    """Every expectation that is counted over Arrow is judged as over Spark, in verdict and in both counts."""
    held, checks = table(rows), EVERY if rows is FAULTY else EVERY[::3]
    ours, theirs = on_arrow(held, checks), on_spark(spark, held, checks)
    different = {
        (one.check.name, str(one.check.kwargs)): (told(one), told(other))
        for one, other in zip(ours, theirs, strict=True)
        if one is not None and told(one) != told(other)
    }
    assert different == {}


@pytest.mark.parametrize("rows", [FAULTY, FAULTY[:3] * 3, [], [(None,) * len(SCHEMA)] * 3])
def test_answers_are_equal_over_different_values(rows: Sequence[tuple[Any, ...]]) -> None:
    """Every measure says the same of texts and bytes that come as their different values as of plain ones."""
    measures = [measure for one in asked(EVERY) if one for measure in one.measures]
    by_value, plain = counted(table(rows), measures, by_value=True), counted(table(rows), measures)
    different = {measure for measure in plain if repr(by_value[measure]) != repr(plain[measure])}  # NaN is not NaN
    assert different == set()


def told(result: CheckResult) -> tuple[bool, int | None, int | None, str]:
    """Returns what a result says."""
    return result.passed, result.failed, result.checked, result.error


def test_what_is_counted_here_and_what_is_left_to_spark() -> None:
    """The expectations above are all counted over Arrow; where Spark would convert or knows more, it is asked."""
    assert [check.name for check, one in zip(EVERY, asked(EVERY), strict=True) if one is None] == []
    assert [check.name for check, one in zip(LEFT, asked(LEFT), strict=True) if one is not None] == []


def test_bundled_suites_need_no_spark() -> None:
    """Every expectation of the bundled contracts and suites is counted by the workers' reading."""
    left = [
        f"{name}: {one.name}"
        for name, contract in load_contracts(BUNDLED).items()
        for one in checks_of(contract, 1)
        if question(one, pa.schema(contract.output_types)) is None
    ]
    assert left == []


def test_a_line_break_at_the_end_is_left_to_spark() -> None:
    """Java's `$` matches before a last line break: where a text has one, and does not match without, Spark is asked."""
    doubtful, plain = (
        check(f"{VALUES}match_regex", column="name", regex="^taro$"),
        check(f"{VALUES}be_null", column="due"),
    )
    assert [one and one.passed for one in on_arrow(table(FAULTY), [doubtful, plain])] == [None, False]
