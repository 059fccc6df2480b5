"""A table's masking: which strategy each column has, the schema that comes of it, and batches masked by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.errors import InvalidValues, KagemushaError
from masking.formats import NumberFormat
from masking.keyring import Keyring
from masking.leaks import Allowed, LeakKind, OwnIins
from masking.rows import Flags, either
from masking.strategies import AnyStrategy
from masking.strategies.base import FallibleStrategy, MaskContext, Masked, plain_type
from masking.strategies.drop import Drop
from masking.strategies.fpe import Fpe
from masking.strategies.keep import Keep
from masking.strategies.shift_date import ShiftDate

_SHOWN_ROWS = 5
_NONE_UNFIT: Mapping[str, Flags] = {}


class BatchMismatch(KagemushaError):
    """A batch does not have the columns or the types that its mask plan was made for."""

    advice = "Plan the table again: its source changed after the plan was made."


class PlanContradiction(KagemushaError):
    """The rules of one mask plan contradict each other."""

    advice = "Correct the table's contract."


@dataclass(frozen=True)
class ColumnRule:
    """What becomes of one column.

    Attributes:
        name: the column's name, before and after.
        source: the Arrow type it is read as.
        strategy: how it is masked.
        allowed_leaks: what the leak gate lets its values look like.
        number: the declared format of a kept number.
    """

    name: str
    source: pa.DataType
    strategy: AnyStrategy
    allowed_leaks: frozenset[LeakKind] = frozenset()
    number: NumberFormat | None = None

    @property
    def allowed(self) -> Allowed:
        """What the leak gate lets pass in the masked column."""
        return Allowed(self.allowed_leaks, self.number, tokens=isinstance(self.strategy, Fpe))


@dataclass(frozen=True)
class SetAside:
    """Rows that must not be published, masked, and for each of them the columns whose values could not be masked."""

    batch: pa.RecordBatch = field(repr=False)
    columns: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class MaskedBatch:
    """A masked batch without the rows set aside, and how many of its values became null because they are invalid."""

    batch: pa.RecordBatch = field(repr=False)
    nulled: dict[str, int]
    aside: SetAside | None = None


@dataclass(frozen=True)
class MaskPlan:
    """The rules of one table on one business day, and the issuer's own IINs; holds no key, so it may travel to workers.

    Raises:
        PlanContradiction: a name comes twice, or a date is to be shifted by an entity that is not read.
        StrategyMisused: a strategy cannot mask its column's type.
    """

    rules: tuple[ColumnRule, ...]
    day: date
    own_iins: OwnIins = ()

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PlanContradiction(f"More than one rule names {', '.join(twice)}.", not_done="No row was read.")
        read = {rule.name for rule in self._published()}
        for rule in self.rules:
            if isinstance(rule.strategy, ShiftDate) and rule.strategy.entity not in read:
                raise PlanContradiction(
                    f"Column {rule.name} is to be shifted by {rule.strategy.entity}, which is not read.",
                    not_done="No row was read.",
                    advice="Name as entity a column of the same table that is not dropped.",
                    where={"column": rule.name},
                )
        _ = self.output_schema

    @cached_property
    def output_schema(self) -> pa.Schema:
        """Returns the schema of every masked batch; dropped columns are not in it."""
        return pa.schema([pa.field(rule.name, _output_type(rule)) for rule in self._published()])

    @property
    def masked_columns(self) -> tuple[str, ...]:
        """Returns the columns whose values do not stay as they are, dropped ones too."""
        return tuple(rule.name for rule in self.rules if not isinstance(rule.strategy, Keep))

    @property
    def texts(self) -> tuple[str, ...]:
        """Returns the columns that are published as text."""
        return tuple(field.name for field in self.output_schema if pa.types.is_string(field.type))

    @property
    def budgets(self) -> dict[str, int]:
        """Gives, for each column with `on_invalid: quarantine`, how many rows one load may set aside."""
        budgets = {r.name: r.strategy.budget for r in self.rules if isinstance(r.strategy, FallibleStrategy)}
        return {name: budget for name, budget in budgets.items() if budget is not None}

    @property
    def allowed(self) -> dict[str, Allowed]:
        """Returns what the leak gate lets pass, by column."""
        return {rule.name: rule.allowed for rule in self._published()}

    @property
    def key_uses(self) -> tuple[tuple[str, str, str], ...]:
        """Returns (column, domain, algorithm) for every key that masking uses."""
        return tuple((rule.name, *use) for rule in self.rules for use in rule.strategy.key_uses())

    def mask(
        self,
        batch: pa.RecordBatch,
        keys: Keyring,
        unfit: Mapping[str, Flags] = _NONE_UNFIT,
        *,
        encoded: bool = False,
    ) -> MaskedBatch:
        """Masks a batch into `output_schema`; row for row, but for rows that a contract lets be quarantined.

        Args:
            batch: of the columns that are read.
            keys: of the masks.
            unfit: column → rows whose values could not be read as its type, and which are null in the batch.
            encoded: columns that come dictionary-encoded stay so, where their strategy looks at them alone.

        Raises:
            BatchMismatch: the batch is not what the plan was made for.
            InvalidValues: values cannot be masked and their column's `on_invalid` is `fail`.
            KagemushaError: what a strategy raises, with the column named.
        """
        columns = self._columns(batch)
        given = MaskContext(keys, self.day, columns, self.own_iins)
        values = []
        invalid: dict[str, list[tuple[ColumnRule, Flags]]] = {"null": [], "quarantine": [], "fail": []}
        for rule, target in zip(self._published(), self.output_schema, strict=True):
            masked = _masked(rule, columns[rule.name], given, encoded=encoded)
            values.append(_as_type(masked.values, target.type))
            faulty = either(masked.invalid, unfit.get(rule.name))
            if faulty is not None:
                choice = rule.strategy.on_invalid if isinstance(rule.strategy, FallibleStrategy) else "fail"
                invalid[choice].append((rule, faulty))
        if invalid["fail"]:
            raise InvalidValues(
                "; ".join(_failure(rule, flagged) for rule, flagged in invalid["fail"]) + ".",
                not_done="No row of the batch was masked.",
                where={"column": ",".join(rule.name for rule, _ in invalid["fail"])},
            )
        whole = pa.RecordBatch.from_arrays(values, names=self.output_schema.names)
        faults = {rule.name: flagged for rule, flagged in invalid["quarantine"]}
        left = np.logical_or.reduce(list(faults.values())) if faults else np.zeros(whole.num_rows, np.bool_)
        nulled = {rule.name: n for rule, flagged in invalid["null"] if (n := int((flagged & ~left).sum()))}
        if not left.any():
            return MaskedBatch(whole, nulled)
        return MaskedBatch(whole.filter(pa.array(~left)), nulled, _set_aside(whole, np.flatnonzero(left), faults))

    def _published(self) -> tuple[ColumnRule, ...]:
        return tuple(rule for rule in self.rules if not isinstance(rule.strategy, Drop))

    def _columns(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """Returns the batch's columns by name after proving that they are the ones planned for."""
        present = batch.schema.names
        planned = {rule.name for rule in self.rules}
        _refuse("has columns without a rule", (name for name in present if name not in planned))
        _refuse("has columns twice", {name for name in present if present.count(name) > 1})
        _refuse("lacks columns", (rule.name for rule in self._published() if rule.name not in present))
        columns = dict(zip(present, batch.columns, strict=True))
        retyped = (rule.name for rule in self._published() if not _fits(columns[rule.name].type, rule.source))
        _refuse("has columns of another type than planned", retyped)
        return columns


def _refuse(what: str, names: Iterable[str]) -> None:
    if listed := sorted(names):
        raise BatchMismatch(f"The batch {what}: {', '.join(listed)}.", not_done="No row of the batch was masked.")


def _output_type(rule: ColumnRule) -> pa.DataType:
    try:
        return rule.strategy.output_type(_plain(rule.source))
    except KagemushaError as error:
        problem = error.at(column=rule.name)
    raise problem


def _masked(rule: ColumnRule, column: pa.Array, given: MaskContext, *, encoded: bool) -> Masked:
    try:
        return rule.strategy.mask(column, given, encoded=encoded)
    except KagemushaError as error:
        problem = error.at(column=rule.name)
    raise problem


def _set_aside(whole: pa.RecordBatch, rows: npt.NDArray[np.int64], faults: Mapping[str, Flags]) -> SetAside:
    columns = tuple(tuple(name for name, flagged in faults.items() if flagged[row]) for row in rows)
    return SetAside(whole.take(pa.array(rows)), columns)


def _failure(rule: ColumnRule, invalid: Flags) -> str:
    rows = np.flatnonzero(invalid)
    shown = ", ".join(str(row) for row in rows[:_SHOWN_ROWS].tolist())
    more = ", …" if len(rows) > _SHOWN_ROWS else ""
    noun = "value" if len(rows) == 1 else "values"
    reason = f"cannot be masked by {rule.strategy.strategy}"
    return f"{len(rows)} {noun} of {rule.name} {reason} (row {shown}{more} of the batch)"


def _plain(source: pa.DataType) -> pa.DataType:
    """Returns the type of a column's values without dictionary encoding and wide offsets, which readers choose."""
    if pa.types.is_dictionary(source):
        return _plain(source.value_type)
    plain = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
    return plain.get(source, source)


def _fits(found: pa.DataType, planned: pa.DataType) -> bool:
    return bool(_plain(found) == _plain(planned))


def _as_type(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Returns the values under the planned type, which differs from theirs at most in encoding."""
    return values if plain_type(values.type) == wanted else values.cast(wanted)
