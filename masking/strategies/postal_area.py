"""Publishes the area of a Japanese postal code."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import canonical
from masking.normalize import jp_postal
from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.text_types import is_text

_DIGITS = 7


class PostalArea(FallibleStrategy):
    """Publishes the first three digits of a Japanese postal code.

    Full-width digits, a hyphen and `〒` are read; an integer is a code whose leading zeros are gone. Anything else is
    invalid.
    """

    strategy: Literal["postal_area"] = "postal_area"

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("150-0001", "150"), ("〒１５０－０００１", "150"), (None, None))),
        Example(((600001, "060"),), source=pa.int64()),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes text and integers."""
        if not (is_text(source) or pa.types.is_integer(source) or pa.types.is_null(source)):
            raise self._misused(source, "text or an integer")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns three digits."""
        return "^[0-9]{3}$"

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        texts = canonical(column).cast(pa.string())
        if pa.types.is_integer(column.type):
            texts = pc.utf8_lpad(texts, width=_DIGITS, padding="0")
        areas = pc.utf8_slice_codeunits(jp_postal(texts), 0, 3)
        return Masked(areas, lost(column, areas))
