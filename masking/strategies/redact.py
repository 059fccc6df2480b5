"""Replaces every value with one constant."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.strategies.patterns import literally


class Redact(FallibleStrategy):
    """Replaces every value with one constant; only whether there was a value still shows."""

    strategy: Literal["redact"] = "redact"
    value: str = Field(default="REDACTED", min_length=1, max_length=64, description="The constant.")

    reads_values: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (Example((("anything", "REDACTED"), (None, None))),)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text whatever the source."""
        del source
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the constant itself."""
        return f"^{literally(self.value)}$"

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        return Masked(pc.if_else(column.is_valid(), pa.scalar(self.value), pa.scalar(None, pa.string())))
