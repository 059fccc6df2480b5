"""Publishes a value unchanged."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pyarrow as pa
from pydantic import Field, StringConstraints

from masking.strategies.base import Example, MaskContext, Masked, Strategy


class Keep(Strategy):
    """Publishes the value unchanged, for a reason that a reviewer can read."""

    strategy: Literal["keep"] = "keep"
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)] = Field(
        description="Why the value may be seen; a reviewer reads it."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("approved", "approved"), (None, None)), {"why": "one of five codes"}),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the source's own type."""
        return source

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        return Masked(column)
