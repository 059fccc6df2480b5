"""Publishes the range in which a number lies."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from masking.exact import is_number, least_at_or_above, plain, widened
from masking.rows import either, flags
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.strategies.patterns import one_of

Edge = Annotated[Decimal, Field(max_digits=18, allow_inf_nan=False)]


class Bucket(FallibleStrategy):
    """Publishes the range in which a number lies, as text.

    A range includes its lower edge and not its upper one. Integers and decimals compare exactly; NaN is invalid.
    """

    strategy: Literal["bucket"] = "bucket"
    edges: tuple[Edge, ...] = Field(min_length=1, max_length=100, description="Where a new range begins, ascending.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            ((999, "under 1000"), (1000, "1000 to under 5000"), (70000, "5000 and over"), (None, None)),
            {"edges": [1000, 5000]},
            pa.int64(),
        ),
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges ascend, each above the one before it")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes numbers."""
        if not (is_number(source) or pa.types.is_null(source)):
            raise self._misused(source, "an integer, a decimal of at most 18 fraction digits or floating point")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the names of all ranges."""
        return one_of(self.labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of all ranges, in order."""
        names = [plain(edge) for edge in self.edges]
        between = (f"{low} to under {high}" for low, high in pairwise(names))
        return (f"under {names[0]}", *between, f"{names[-1]} and over")

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        source = column.type
        undefined = None
        if pa.types.is_floating(source):
            undefined = either(None, flags(pc.is_nan(column)))
            column = column.cast(pa.float64())
        else:
            column = _as_decimal(column)
        passed = np.zeros(len(column), dtype=np.int64)
        for edge in self.edges:
            passed += flags(pc.greater_equal(column, least_at_or_above(edge, source)))
        unknown = np.asarray(column.is_null()) if undefined is None else np.asarray(column.is_null()) | undefined
        return Masked(pa.array(self.labels).take(pa.array(passed, mask=unknown)), undefined)


def _as_decimal(column: pa.Array) -> pa.Array:
    return widened(column) if pa.types.is_decimal(column.type) else column.cast(pa.decimal128(38, 0))
