"""Rounds a number to a multiple."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from masking.exact import fraction_digits, is_number, of_steps, widened
from masking.rows import Flags, either, flags, null_where
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked


class Round(FallibleStrategy):
    """Rounds a number to the nearest multiple of `to`, half away from zero; the type stays.

    Exact for integers and decimals. A result that its type cannot hold is invalid, and so are NaN and infinity.
    """

    strategy: Literal["round"] = "round"
    to: Annotated[Decimal, Field(gt=0, max_digits=18, allow_inf_nan=False)] = Field(
        description="The unit: results are multiples of it."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(((1499, 1000), (1500, 2000), (-1500, -2000), (None, None)), {"to": 1000}, pa.int64()),
        Example(((Decimal("12.34"), Decimal("12.50")),), {"to": Decimal("0.5")}, pa.decimal128(12, 2)),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the source's own type; takes numbers whose type can hold multiples of `to`."""
        if pa.types.is_null(source):
            return source
        if not is_number(source):
            raise self._misused(source, "an integer, a decimal of at most 18 fraction digits or floating point")
        if not pa.types.is_floating(source) and self.to.scaleb(fraction_digits(source)) % 1:
            raise self._misused(source, f"a type with enough fraction digits for multiples of {self.to}")
        return source

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        if pa.types.is_integer(column.type):
            return self._integers(column)
        return self._decimals(column) if pa.types.is_decimal(column.type) else self._floats(column)

    def _integers(self, column: pa.Array) -> Masked:
        unit = np.uint64(int(self.to))
        half = np.uint64(int(self.to) // 2)
        values = np.asarray(column.fill_null(0))
        negative = values < 0
        # The magnitude of the least int64 does not fit int64; its bits read as uint64 are that magnitude.
        unsigned = values.dtype.kind == "u"
        sizes = values.astype(np.uint64) if unsigned else np.abs(values.astype(np.int64)).view(np.uint64)
        near_end = sizes > np.uint64(2**64 - 1) - half
        rounded = np.where(near_end, np.uint64(0), sizes + half) // unit * unit
        invalid = near_end | (rounded > np.uint64(np.iinfo(values.dtype).max))
        magnitudes = np.where(invalid, np.uint64(0), rounded).astype(values.dtype)
        signed = np.where(negative, np.zeros_like(magnitudes) - magnitudes, magnitudes)
        return Masked(pa.array(signed, column.type, mask=np.asarray(column.is_null()) | invalid), either(None, invalid))

    def _decimals(self, column: pa.Array) -> Masked:
        precision, scale = column.type.precision, column.type.scale
        unit = int(self.to.scaleb(scale))
        greatest = (10**precision - 1) // unit * unit
        invalid = _sizes_from(column, greatest + (unit + 1) // 2)
        rounded = pc.round_to_multiple(
            widened(null_where(column, invalid)),
            multiple=pa.scalar(self.to, pa.decimal128(38, scale)),
            round_mode="half_towards_infinity",
        )
        return Masked(rounded.cast(column.type), invalid)

    def _floats(self, column: pa.Array) -> Masked:
        invalid = either(None, ~flags(pc.is_finite(column)) & np.asarray(column.is_valid()))
        rounded = pc.round_to_multiple(
            null_where(column, invalid), multiple=float(self.to), round_mode="half_towards_infinity"
        )
        return Masked(rounded.cast(column.type), invalid)


def _sizes_from(column: pa.Array, steps: int) -> Flags | None:
    """Flags decimals that are at least this many of their smallest steps away from zero."""
    if steps >= 10**column.type.precision:
        return None
    bound = pa.scalar(of_steps(steps, column.type.scale), column.type)
    below = pa.scalar(of_steps(-steps, column.type.scale), column.type)
    return either(None, flags(pc.or_(pc.greater_equal(column, bound), pc.less_equal(column, below))))
