"""Masks the fields of a JSON document one by one."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, StringConstraints, model_validator

from masking.documents import LIST, Documents, Scalar, as_text
from masking.errors import StrategyMisused
from masking.exact import EXACT
from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked, Strategy
from masking.strategies.keep import Keep
from masking.text_types import is_text

if TYPE_CHECKING:
    from masking.strategies import AnyStrategy

Path = Annotated[str, StringConstraints(pattern=r"^[^.\[\]]+(\[\])?(\.[^.\[\]]+(\[\])?)*$")]
_NUMBER = pa.decimal128(38, 9)
_UNFIT = ("drop", "json_fields", "shift_date")


class JsonFields(FallibleStrategy):
    """Masks each named field of a JSON document with its own strategy and removes every other one.

    A path names a scalar: `address.postal_code`, or `items[].name` for every element of a list. An object or a list
    where a scalar is named, and text that is no JSON object, are invalid; a field that cannot be masked makes the whole
    document invalid. The result is canonical JSON: keys sorted, no spaces, numbers exact.
    """

    strategy: Literal["json_fields"] = "json_fields"
    fields: dict[Path, AnyStrategy] = Field(min_length=1, description="Path (`a.b`, `items[].name`) to strategy.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            (
                (
                    '{"note": "call me", "tel": "09012345678", "plan": {"name": "gold", "fee": 1.50}}',
                    '{"plan":{"fee":1.5,"name":"gold"},"tel":"*******5678"}',
                ),
                (None, None),
            ),
            {
                "fields": {
                    "tel": {"strategy": "partial", "keep_last": 4},
                    "plan.name": {"strategy": "keep", "why": "a product code"},
                    "plan.fee": {"strategy": "keep", "why": "a price list"},
                }
            },
        ),
    )

    @model_validator(mode="after")
    def _paths_lead_to_scalars(self) -> Self:
        paths = sorted(path.replace(LIST, f".{LIST}") + "." for path in self.fields)
        if any(longer.startswith(shorter) for shorter, longer in pairwise(paths)):
            raise ValueError("no path leads through another one")
        if any(strategy.strategy in _UNFIT for strategy in self.fields.values()):
            raise ValueError(f"a field has a strategy other than {', '.join(_UNFIT)}; leave a path out to drop it")
        if any(getattr(strategy, "on_invalid", "fail") != "fail" for strategy in self.fields.values()):
            raise ValueError("on_invalid stands at the document, not at its fields")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes text."""
        if not (is_text(source) or pa.types.is_null(source)):
            raise self._misused(source, "text")
        for strategy in self.fields.values():
            _leaf_type(strategy)
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the outline of a JSON object."""
        return r"(?s)^\{.*\}$"

    def key_uses(self) -> tuple[tuple[str, str], ...]:
        """Returns the keys that the fields' strategies use."""
        return tuple(dict.fromkeys(use for strategy in self.fields.values() for use in strategy.key_uses()))

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        distinct = column.dictionary_encode()
        documents = Documents(distinct.dictionary.to_pylist())
        for path, strategy in self.fields.items():
            slots = documents.slots(path)
            if isinstance(strategy, Keep):
                for slot in slots:
                    slot.fill(slot.value)
                continue
            leaves = [_leaf(slot.value, _leaf_type(strategy)) for slot in slots]
            masked = strategy.mask(pa.array(leaves, _leaf_type(strategy)), given)
            refused = np.zeros(len(slots), np.bool_) if masked.invalid is None else masked.invalid
            for slot, leaf, value, bad in zip(slots, leaves, masked.values.to_pylist(), refused, strict=True):
                slot.fill(value)
                if bad or (leaf is None and slot.value is not None):
                    documents.spoil(slot)
        values = pa.array(documents.texts(), pa.string()).take(distinct.indices)
        return Masked(values, lost(column, values))


def _leaf_type(strategy: Strategy) -> pa.DataType:
    """Returns the type under which a field's values reach its strategy: text, or numbers where it takes no text."""
    try:
        strategy.output_type(pa.string())
    except StrategyMisused:
        return _NUMBER
    return pa.string()


def _leaf(value: Scalar, source: pa.DataType) -> str | Decimal | None:
    """Returns a scalar as text or as a number; None where it is null or no number that the type holds."""
    if value is None or pa.types.is_string(source):
        return as_text(value)
    if isinstance(value, bool | str):
        return None
    number = Decimal(value)
    fits = number.adjusted() < _NUMBER.precision - _NUMBER.scale and _fraction(number) <= _NUMBER.scale
    return number if fits else None


def _fraction(number: Decimal) -> int:
    exponent = number.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
