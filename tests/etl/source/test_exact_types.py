"""Batches arrive in exactly the contract's types, or are refused by name; never silently changed, never quoted."""

from __future__ import annotations

import datetime as dt
import traceback
from decimal import Context, Decimal

import pyarrow as pa
import pytest

from etl.errors import ValuesUnfit
from etl.source import POSTGRES, ReadColumn
from etl.source.exact_types import fit
from schemas.types import ColumnType


def fitted(array: pa.Array, kind: str) -> pa.Array:
    """Returns one column after fitting it to a contract type."""
    columns = [ReadColumn("c", ColumnType.parse(kind))]
    return fit(pa.RecordBatch.from_arrays([array], names=["c"]), columns).column(0)


def test_numerics_become_exact_decimals() -> None:
    """The text that ADBC hands over becomes a decimal of the contract's precision and scale."""
    found = fitted(pa.array(["12345678901234567890123456789.123456789", None, "-0.000000001"]), "numeric(38,9)")
    assert found.to_pylist() == [Decimal("12345678901234567890123456789.123456789"), None, Decimal("-0.000000001")]


@pytest.mark.parametrize("scale", [0, 9, 38])
def test_numerics_of_38_digits_are_exact_wherever_the_point_is(scale: int) -> None:
    """As many digits as a decimal has, before or after the point, stay what they are."""
    widest = Decimal("9" * 38).scaleb(-scale, context=Context(prec=38))
    assert fitted(pa.array([f"{widest:f}"]), f"numeric(38,{scale})").to_pylist() == [widest]


@pytest.mark.parametrize("text", ["4111.111", "NaN", "Infinity", "123456789"])
def test_numerics_that_do_not_fit_are_refused_without_their_value(text: str) -> None:
    """Too many digits, NaN and infinity stop the slice; neither the error nor its context repeats them."""
    with pytest.raises(ValuesUnfit) as refused:
        fitted(pa.array([text]), "numeric(6,2)")
    shown = "".join(traceback.format_exception(refused.value))
    assert text not in shown
    assert refused.value.__context__ is None
    assert "numeric(6,2)" in str(refused.value)


def test_timestamps_outside_bigquery_are_refused() -> None:
    """PostgreSQL's infinities and years beyond 9999 are counted and refused; the limits themselves pass."""
    edges = [dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)]
    assert fitted(pa.array(edges, pa.timestamp("us", "UTC")), "timestamp").to_pylist() == edges
    infinite = pa.array([2**63 - 1, None, -(2**63) + 1], pa.int64()).cast(pa.timestamp("us", "UTC"))
    with pytest.raises(ValuesUnfit, match="2 values of c"):
        fitted(infinite, "timestamp")


def test_dates_outside_bigquery_are_refused() -> None:
    """The same for dates."""
    edges = [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)]
    assert fitted(pa.array(edges, pa.date32()), "date").to_pylist() == edges
    with pytest.raises(ValuesUnfit, match="1 values of c"):
        fitted(pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), "date")


def test_the_select_names_contract_columns_only() -> None:
    """Identifiers are quoted, types are cast so that nothing is lost, and there is no `*`."""
    types = {"id": "int64", 'we"ird': "json", "cost": "numeric(14,2)"}
    columns = [ReadColumn(name, ColumnType.parse(kind)) for name, kind in types.items()]
    assert POSTGRES.select("a.b", columns, "TRUE") == (
        'SELECT "id"::int8 AS "id", "we""ird"::text AS "we""ird", "cost"::text AS "cost" FROM "a"."b" WHERE TRUE'
    )
