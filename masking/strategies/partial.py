"""Keeps the first and last characters of a value."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, StringConstraints

from masking.canonical import canonical, has_canonical_form
from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.strategies.patterns import literally
from masking.text_types import is_bytes


class Partial(FallibleStrategy):
    """Keeps the first and last characters of a value and replaces each one between them.

    A value with no character to hide between them is hidden whole. The length of the value shows.
    """

    strategy: Literal["partial"] = "partial"
    keep_first: int = Field(default=0, ge=0, le=64, description="Leading characters that stay.")
    keep_last: int = Field(default=0, ge=0, le=64, description="Trailing characters that stay.")
    fill: Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"^[^0-9\s]$")] = Field(
        default="*", description="What each hidden character becomes; not a digit."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("09012345678", "090****5678"), ("110", "***"), (None, None)), {"keep_first": 3, "keep_last": 4}),
        Example((("山田太郎", "山＊＊＊"),), {"keep_first": 1, "fill": "＊"}),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes what has canonical text, but not raw bytes."""
        if not has_canonical_form(source) or is_bytes(source):
            raise self._misused(source, "text, an integer, a decimal, a date, an instant or a bool")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the kept ends around at least one fill character, or fill characters only."""
        fill = literally(self.fill)
        return f"(?s)^(?:.{{{self.keep_first}}}{fill}+.{{{self.keep_last}}}|{fill}*)$"

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        texts = canonical(column).cast(pa.string())
        lengths = pc.utf8_length(texts)
        whole = pc.less_equal(lengths, self.keep_first + self.keep_last)
        hidden = pc.if_else(whole, lengths, pc.subtract(lengths, self.keep_first + self.keep_last))
        middle = pc.binary_repeat(self.fill, hidden)
        head = pc.if_else(whole, "", pc.utf8_slice_codeunits(texts, 0, self.keep_first))
        tail = pc.if_else(whole, "", _last(texts, self.keep_last))
        return Masked(pc.binary_join_element_wise(head, middle, tail, ""), lost(column, texts))


def _last(texts: pa.Array, count: int) -> pa.Array:
    return pc.utf8_slice_codeunits(texts, -count) if count else pc.utf8_slice_codeunits(texts, 0, 0)
