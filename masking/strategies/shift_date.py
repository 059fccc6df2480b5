"""Moves the dates of one entity by one keyed number of days."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from masking.canonical import canonical
from masking.dates import FIRST_DAY, LAST_DAY, TICKS_A_DAY, holds_dates
from masking.errors import StrategyMisused
from masking.kernels.buffers import ByteStrings
from masking.kernels.cmac import cmac
from masking.keyring import Keyring
from masking.rows import lost, null_where, outside
from masking.strategies.base import Domain, Example, FallibleStrategy, MaskContext, Masked

ALGORITHM = "shift_days"
"""A name of its own: under the key of `cmac` a published pseudonym of the entity would tell the shift."""
_KEY_BYTES = 32


class ShiftDate(FallibleStrategy):
    """Moves all dates of one entity by the same keyed number of days, so that intervals within it stay true.

    The number lies between one and `max_days`, before or after; the time of day stays. A date without an entity, and
    one that would leave the years 1 to 9999, are invalid. The entity is another column of the table, masked by its own
    rule.
    """

    strategy: Literal["shift_date"] = "shift_date"
    domain: Domain = Field(description="Columns that share a domain move an entity by the same number of days.")
    entity: str = Field(min_length=1, description="The column of the same table that names whose date it is.")
    max_days: int = Field(default=30, ge=1, le=3650, description="The farthest a date moves, in days, either way.")

    keyed: ClassVar[bool] = True
    row_wise: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            ((date(2023, 8, 1), date(2023, 8, 26)), (date(2023, 8, 31), date(2023, 9, 25)), (None, None)),
            {"domain": "member", "entity": "member_id"},
            pa.date32(),
        ),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the source's own type; takes dates, instants and civil times."""
        if not (holds_dates(source) or pa.types.is_null(source)):
            raise self._misused(source, "a date, a timestamp or a datetime")
        return source

    def key_uses(self) -> tuple[tuple[str, str], ...]:
        """Returns the domain under the shift's own algorithm name."""
        return ((self.domain, ALGORITHM),)

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        entity = self._entity(given, len(column))
        known = null_where(column, lost(column, pc.if_else(entity.is_valid(), column, pa.scalar(None, column.type))))
        unit = 1 if pa.types.is_date32(column.type) else TICKS_A_DAY[_unit(column.type)]
        numbers = known.view(pa.int32() if unit == 1 else pa.int64()).cast(pa.int64())
        first, last = FIRST_DAY * unit, (LAST_DAY + 1) * unit - 1
        inside = null_where(numbers, outside(numbers, first, last))
        moved = pc.add(inside, pa.array(self._days(entity, given.keys) * unit))
        moved = null_where(moved, outside(moved, first, last))
        values = moved.cast(pa.int32() if unit == 1 else pa.int64()).view(column.type)
        return Masked(values, lost(column, values))

    def _entity(self, given: MaskContext, rows: int) -> pa.Array:
        entity = given.columns.get(self.entity)
        if entity is None or len(entity) != rows:
            raise StrategyMisused(
                f"Strategy {self.strategy} needs column {self.entity} of the same rows, which was not read.",
                not_done="No value was masked.",
                advice="Name a column of the same table that is not dropped.",
                where={"strategy": self.strategy, "entity": self.entity},
            )
        if isinstance(entity, pa.ChunkedArray):
            entity = entity.combine_chunks()
        if pa.types.is_dictionary(entity.type):
            entity = entity.dictionary_decode()
        return canonical(entity)

    def _days(self, entity: pa.Array, keys: Keyring) -> npt.NDArray[np.int64]:
        """Returns each row's days, -max_days … max_days without 0, evenly spread up to a bias of 2**-50."""
        key = keys.subkey(self.domain, ALGORITHM, _KEY_BYTES)
        tags = cmac(key, ByteStrings.from_arrow(entity))
        drawn = np.ascontiguousarray(tags[:, :8]).view(">u8").reshape(-1) % np.uint64(2 * self.max_days)
        days = drawn.astype(np.int64) - self.max_days
        return np.where(days >= 0, days + 1, days)


def _unit(source: pa.DataType) -> str:
    return "ms" if pa.types.is_date64(source) else str(source.unit)
