"""Values of queries become parameters of the type that they have; what has none is refused without being shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from etl.cloud.bigquery.parameters import bound


class Word(StrEnum):
    """A text of a closed list."""

    YES = "yes"


@pytest.mark.parametrize(
    ("value", "kind", "sent"),
    [
        ("a", "STRING", "a"),
        (Word.YES, "STRING", "yes"),
        (7, "INT64", "7"),
        (True, "BOOL", "true"),
        (0.5, "FLOAT64", 0.5),
        (Decimal("0.1234567890123"), "BIGNUMERIC", "0.1234567890123"),
        (date(2023, 8, 30), "DATE", "2023-08-30"),
        (datetime(2023, 8, 30, 15, tzinfo=UTC), "TIMESTAMP", "2023-08-30 15:00:00+00:00"),
    ],
)
def test_the_type_of_a_value_is_the_parameters(value: Any, kind: str, sent: object) -> None:
    """One value becomes one parameter of BigQuery's type for it."""
    (parameter,) = bound({"given": value})
    assert parameter.to_api_repr() == {
        "name": "given", "parameterType": {"type": kind}, "parameterValue": {"value": sent},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "kind"), [(["a", "b"], "STRING"), (("a",), "STRING"), ([], "STRING"), ((1, 2), "INT64")]
)
def test_several_values_are_an_array(values: Any, kind: str) -> None:
    """Lists and tuples become arrays of the type of their items; an empty one is of texts."""
    (parameter,) = bound({"given": values})
    described = parameter.to_api_repr()
    assert described["parameterType"] == {"type": "ARRAY", "arrayType": {"type": kind}}
    assert [one["value"] for one in described["parameterValue"]["arrayValues"]] == [str(one) for one in values]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "cannot be a NoneType"),
        (b"4111111111111111", "cannot be a bytes"),
        (time(1, 2), "cannot be a time"),
        ({"4111111111111111"}, "cannot be a set"),
        ([["4111111111111111"]], "cannot be a list"),
        (["4111111111111111", 1], "mixes INT64 and STRING"),
        (datetime(2023, 8, 30), "without a time zone"),  # noqa: DTZ001  that is the point
    ],
)
def test_a_wrong_type_is_refused(value: Any, said: str) -> None:
    """The error names the parameter and the type, and no value."""
    with pytest.raises(TypeError, match=f"Parameter given .*{said}") as refused:
        bound({"given": value})
    assert "4111" not in str(refused.value)
