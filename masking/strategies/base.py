"""What every strategy is: one frozen model that holds its parameters and turns a column into a masked column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from masking.canonical import canonical, has_canonical_form
from masking.errors import KagemushaError, StrategyMisused
from masking.leaks.own_cards import OwnIins
from masking.normalize import Normalizer, normalize
from masking.rows import Flags, either, lost, null_where, unreadable_rows
from masking.text_types import is_bytes

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from masking.keyring import Keyring

Domain = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$", strict=True)]
"""The name of a family of tokens: equal values get equal tokens within a domain and unlinkable ones across domains."""


_TEXT = pa.string()


OnInvalid = Annotated[
    Literal["fail", "null", "quarantine"],
    BeforeValidator(lambda choice: "null" if choice is None else choice),  # YAML reads an unquoted null as no value
    WithJsonSchema({"enum": ["fail", "null", "quarantine", None], "type": ["string", "null"]}),
]

DEFAULT_BUDGET: Final = 10
"""Rows that a load may set aside for a column whose contract says `quarantine` and no number."""


@dataclass(frozen=True)
class MaskContext:
    """What a strategy may use besides its own column: keys, the run's business day, other raw columns, own IINs."""

    keys: Keyring
    day: date
    columns: Mapping[str, pa.Array] = field(default_factory=dict, repr=False)
    own_iins: OwnIins = ()


@dataclass(frozen=True)
class Masked:
    """A masked column: as many values as came in, and which rows could not be masked (null there; None means none)."""

    values: pa.Array = field(repr=False)
    invalid: Flags | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Example:
    """Inputs of one Arrow type and what the strategy with these parameters gives for them; executed by the tests."""

    rows: tuple[tuple[object, object], ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    source: pa.DataType = field(default_factory=pa.string)


class Strategy(BaseModel):
    """Turns a column into a masked column of the same length; nulls stay null, and no value ever reaches an error.

    A subclass says in `_apply` how plain (not chunked, not dictionary-encoded) arrays are masked. `mask` is the one way
    in: it unwraps encodings, sets unreadable text aside, and replaces foreign errors, which may quote values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reversible: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    reads_values: ClassVar[bool] = True
    """False where the result does not depend on the values, so that even unreadable text is no obstacle."""
    row_wise: ClassVar[bool] = False
    """True where the result depends on other columns of the row, so that distinct values cannot be masked once."""
    examples: ClassVar[tuple[Example, ...]] = ()

    strategy: str

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the Arrow type of the masked column, or raises StrategyMisused where `source` cannot be masked so."""
        raise NotImplementedError

    def token_pattern(self) -> str | None:
        """Returns a regular expression (RE2 and Java) that every masked non-null value matches, or None."""
        return None

    def key_uses(self) -> tuple[tuple[str, str], ...]:
        """Returns the (domain, algorithm) pairs whose keys this strategy uses."""
        return ()

    def mask(self, column: pa.Array, given: MaskContext, *, encoded: bool = False) -> Masked:
        """Masks a column; rows that cannot be masked come back null and flagged.

        Args:
            column: any array of a type that `output_type` accepts; dictionary-encoded, chunked, sliced, empty are fine.
            given: keys, business day and, for strategies that need an entity, the whole raw batch.
            encoded: a dictionary-encoded column stays one, of different masked values and no null; not of a strategy
                that looks at other columns of the row.

        Raises:
            StrategyMisused: the column's type or a parameter does not fit.
            KeyUnusable: a key is missing.
            MaskingFailed: a library refused; its message is not kept because it could quote a value.
        """
        return self._guarded(self._mask, column, given, encoded)

    def unmask(
        self, column: pa.Array, given: MaskContext, *, version: int | None = None, of: pa.DataType = _TEXT
    ) -> Masked:
        """Returns what was masked, in its canonical, normalized text; rows that no key of ours made are flagged.

        Args:
            column: masked values.
            given: holds the keyring; versions that only read are fine.
            version: the key version that made values which do not name theirs; the primary one when None.
            of: binary where the source was raw bytes.

        Raises:
            StrategyMisused: the strategy is not reversible.
            KeyUnusable: the key version that made a value is gone.
        """
        if not self.reversible:
            raise StrategyMisused(
                f"Strategy {self.strategy} cannot be turned back.",
                not_done="No value was unmasked.",
                advice="Only tokenize and fpe are reversible.",
                where={"strategy": self.strategy},
            )
        return self._guarded(self._unmask, column, given, version, of)

    def _guarded(self, step: Any, *args: object) -> Masked:  # noqa: ANN401 - a bound method of this class
        try:
            masked: Masked = step(*args)
        except KagemushaError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a library raises may quote a value
            kind = type(error).__name__
        else:
            return masked
        raise MaskingFailed(
            f"Strategy {self.strategy} met a {kind}; its message is withheld because it may quote a value.",
            not_done="No value was masked.",
            where={"strategy": self.strategy},
        )

    def _mask(self, column: pa.Array, given: MaskContext, encoded: bool = False) -> Masked:  # noqa: FBT001, FBT002 - see `mask`
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        self.output_type(plain_type(column.type))
        if pa.types.is_dictionary(column.type):
            if self.row_wise:
                return self._mask(column.dictionary_decode(), given)
            distinct = self._mask(column.dictionary, given)
            return (_pointed if encoded else _spread)(distinct, column.indices)
        if pa.types.is_null(column.type):
            return Masked(pa.nulls(len(column), self.output_type(column.type)))
        unreadable = unreadable_rows(column) if self.reads_values else None
        masked = self._apply(null_where(column, unreadable), given)
        return Masked(masked.values, either(masked.invalid, unreadable))

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        raise NotImplementedError

    def _unmask(self, column: pa.Array, given: MaskContext, version: int | None, of: pa.DataType) -> Masked:
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        if pa.types.is_dictionary(column.type):
            return _spread(self._unmask(column.dictionary, given, version, of), column.indices)
        unreadable = unreadable_rows(column)
        reverted = self._revert(null_where(column, unreadable).cast(pa.string()), given, version)
        unmasked = reverted.values.cast(pa.binary()).view(of)
        unwritten = either(unreadable, unreadable_rows(unmasked))
        return Masked(null_where(unmasked, unwritten), either(reverted.invalid, unwritten))

    def _revert(self, tokens: pa.Array, given: MaskContext, version: int | None) -> Masked:
        """Returns the text or bytes behind each token, null and flagged where it is none."""
        raise NotImplementedError

    def _misused(self, source: pa.DataType, wanted: str) -> StrategyMisused:
        return StrategyMisused(
            f"Strategy {self.strategy} cannot mask a column of type {source}: it needs {wanted}.",
            not_done="No value was masked.",
            where={"strategy": self.strategy, "type": source},
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Lists `strategy` as required: Python may leave it out, a contract may not."""
        schema = handler.resolve_ref_schema(handler(core))
        schema["required"] = ["strategy", *(name for name in schema.get("required", ()) if name != "strategy")]
        return schema


class FallibleStrategy(Strategy):
    """A strategy that may meet values it cannot mask, and that lets the contract say what becomes of them."""

    on_invalid: OnInvalid = Field(
        default="fail",
        description="What to do about values that cannot be masked: stop the table, publish NULL and count them, or "
        "leave their rows out and report these by masked key.",
    )
    quarantine_budget: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="With `quarantine`: rows that one load may leave out for this column, 10 unless said otherwise; "
        "one more stops the table.",
    )

    @model_validator(mode="after")
    def _budget_belongs_to_quarantine(self) -> Self:
        if self.quarantine_budget is not None and self.on_invalid != "quarantine":
            raise ValueError("quarantine_budget belongs to on_invalid: quarantine")
        return self

    @property
    def budget(self) -> int | None:
        """How many rows a load may leave out for this column; None where it may leave out none."""
        return (self.quarantine_budget or DEFAULT_BUDGET) if self.on_invalid == "quarantine" else None


class KeyedStrategy(FallibleStrategy):
    """A strategy whose result depends on a key of its domain, and that may normalize spellings first."""

    keyed: ClassVar[bool] = True

    domain: Domain = Field(description="The family of tokens: columns that join share a domain.")
    normalize: tuple[Normalizer, ...] = Field(
        default=(), description="Steps that bring different spellings of one value together before the key is applied."
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; refuses types without canonical text, such as floating point, and bytes to be normalized."""
        if not has_canonical_form(source):
            raise self._misused(source, "text, an integer, a decimal, a date, an instant, a bool or bytes")
        if self.normalize and is_bytes(source):
            raise self._misused(source, "text to normalize, because raw bytes have no spelling")
        return pa.string()

    def _texts(self, column: pa.Array) -> tuple[pa.Array, Flags | None]:
        """Returns the canonical, normalized text of each value, and the rows that no normalization could read."""
        texts = normalize(canonical(column), self.normalize)
        return texts, lost(column, texts)


class MaskingFailed(KagemushaError):
    """A library refused a column for a reason that is withheld because it could quote a value."""

    advice = "Report this with the column's type; if one value is the cause, correct it at the source."


def plain_type(source: pa.DataType) -> pa.DataType:
    """Returns the type of the values of a column, whatever its encoding."""
    return source.value_type if pa.types.is_dictionary(source) else source


def _spread(distinct: Masked, indices: pa.Array) -> Masked:
    """Returns each row the masked form of the distinct value its index names; a null index stays null."""
    return Masked(distinct.values.take(indices), _invalid_rows(distinct, indices))


def _pointed(distinct: Masked, indices: pa.Array) -> Masked:
    """Returns what `_spread` does, dictionary-encoded; values that became equal or null are brought together."""
    encoded = distinct.values.dictionary_encode()
    changed = len(encoded.dictionary) < len(distinct.values)
    places = encoded.indices.take(indices) if changed else indices
    return Masked(pa.DictionaryArray.from_arrays(places, encoded.dictionary), _invalid_rows(distinct, indices))


def _invalid_rows(distinct: Masked, indices: pa.Array) -> Flags | None:
    if distinct.invalid is None:
        return None
    present = indices.is_valid().to_numpy(zero_copy_only=False)
    rows = indices.fill_null(0).to_numpy(zero_copy_only=False)
    hit = distinct.invalid[rows] & present if len(distinct.invalid) else np.zeros(len(indices), dtype=np.bool_)
    return hit if hit.any() else None
