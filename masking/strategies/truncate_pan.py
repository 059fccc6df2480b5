"""Keeps what PCI DSS lets be seen of a card number."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from masking.canonical import canonical
from masking.card_numbers import LONGEST, SHORTEST
from masking.kernels.buffers import Bytes, ByteStrings, assemble
from masking.normalize import digits
from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.text_types import is_text

_HIDDEN = np.frombuffer(b"xxxxxx", np.uint8)
_LONG_PREFIX = 8
_SHORT_PREFIX = 6
_FOR_LONG_PREFIX = 16


class TruncatePan(FallibleStrategy):
    """Keeps the issuer prefix and the last four digits of a card number.

    The middle becomes six `x` whatever its length, so neither the hidden digits nor their count show. Formats: PCI SSC
    FAQ 1091, which allows eight leading digits only from 16 digits on; shorter numbers then show six. Separators and
    full-width digits are read; what does not have 13 to 19 digits is invalid.
    """

    strategy: Literal["truncate_pan"] = "truncate_pan"
    keep_first: Literal[0, 6, 8] = Field(default=6, description="Leading digits to keep: none, or the issuer prefix.")
    keep_last: Literal[0, 4] = Field(default=4, description="Trailing digits to keep: none, or the last four.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("4111111111111111", "411111xxxxxx1111"), ("3782-822463-10005", "378282xxxxxx0005"), (None, None))),
        Example(((4111111111111111, "41111111xxxxxx"),), {"keep_first": 8, "keep_last": 0}, pa.int64()),
    )

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not (self.keep_first or self.keep_last):
            raise ValueError("keep_first or keep_last keeps something; use redact to keep nothing")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes text and integers."""
        if not (is_text(source) or pa.types.is_integer(source) or pa.types.is_null(source)):
            raise self._misused(source, "text or an integer")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the kept ends around six `x`."""
        prefixes = {0: "", _SHORT_PREFIX: "[0-9]{6}", _LONG_PREFIX: "(?:[0-9]{8}|[0-9]{6})"}
        return f"^{prefixes[self.keep_first]}x{{6}}[0-9]{{{self.keep_last}}}$"

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        numbers = digits(canonical(column))
        groups = (
            (rows, self._truncated(matrix))
            for rows, matrix in ByteStrings.from_arrow(numbers).groups()
            if SHORTEST <= matrix.shape[1] <= LONGEST
        )
        values = assemble(len(numbers), groups)
        return Masked(values, lost(column, values))

    def _truncated(self, numbers: Bytes) -> Bytes:
        short = numbers.shape[1] < _FOR_LONG_PREFIX
        first = min(self.keep_first, _SHORT_PREFIX) if short else self.keep_first
        truncated = np.empty((len(numbers), first + len(_HIDDEN) + self.keep_last), np.uint8)
        truncated[:, :first] = numbers[:, :first]
        truncated[:, first : first + len(_HIDDEN)] = _HIDDEN
        truncated[:, first + len(_HIDDEN) :] = numbers[:, numbers.shape[1] - self.keep_last :]
        return truncated
