"""Publishes a value unchanged."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

import pyarrow as pa
from pydantic import AfterValidator, Field

from masking.strategies.base import Example, MaskContext, Masked, Strategy
from masking.words import Text

_SHORTEST: Final = 3


def _reason(written: Text) -> Text:
    said = Text(written.strip(), written.ja.strip())
    if any(len(one) < _SHORTEST for one in (said, said.ja) if one is said or one):
        raise ValueError(f"must be said in {_SHORTEST} characters at least")
    return said


class Keep(Strategy):
    """Publishes the value unchanged, for a reason that a reviewer can read."""

    strategy: Literal["keep"] = "keep"
    why: Annotated[Text, AfterValidator(_reason)] = Field(description="Why the value may be seen; a reviewer reads it.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("approved", "approved"), (None, None)), {"why": "one of five codes"}),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the source's own type."""
        return source

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        return Masked(column)
