"""Leaves a column out."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa

from masking.strategies.base import MaskContext, Masked, Strategy


class Drop(Strategy):
    """Leaves the column out: it is never selected, so it does not leave the database.

    A mask plan publishes no column for it; asked for one all the same, it gives nothing but nulls.
    """

    strategy: Literal["drop"] = "drop"

    reads_values: ClassVar[bool] = False

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the null type: there is nothing to publish."""
        del source
        return pa.null()

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        return Masked(pa.nulls(len(column)))
