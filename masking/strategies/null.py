"""Publishes NULL in place of every value."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa

from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked


class Null(FallibleStrategy):
    """Publishes NULL in place of every value and keeps the column, for readers that expect it."""

    strategy: Literal["null"] = "null"

    reads_values: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (Example((("anything", None), (None, None))),)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the source's own type."""
        return source

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        return Masked(pa.nulls(len(column), column.type))
