"""Publishes the year, quarter, month or age band of a date."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from masking.dates import civil_dates, holds_dates
from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.strategies.patterns import one_of
from masking.text_types import is_text

AGE_BANDS = (*(f"{low}-{low + 9}" for low in range(0, 90, 10)), "90+")


class GeneralizeDate(FallibleStrategy):
    """Publishes the year, quarter, month or ten-year age band of a date, as text.

    Instants count by the Japanese calendar. The age is the one in completed years on the business day of the run. Text
    is read as `1990-04-01`, `1990/04/01` or `19900401`; no date, and a birth after the business day, are invalid.
    """

    strategy: Literal["generalize_date"] = "generalize_date"
    to: Literal["year", "quarter", "month", "age_band"] = Field(description="What is left of the date.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(((date(1990, 4, 1), "1990"), (None, None)), {"to": "year"}, pa.date32()),
        Example(((date(1990, 4, 1), "1990-Q2"),), {"to": "quarter"}, pa.date32()),
        Example((("1990/04/01", "1990-04"),), {"to": "month"}),
        Example(((date(1990, 4, 1), "30-39"), (date(1930, 1, 1), "90+")), {"to": "age_band"}, pa.date32()),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes dates, instants, civil times and dates written as text."""
        if not (holds_dates(source) or is_text(source) or pa.types.is_null(source)):
            raise self._misused(source, "a date, a timestamp, a datetime or text")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the shape of what is left."""
        shapes = {"year": "^[0-9]{4}$", "quarter": "^[0-9]{4}-Q[1-4]$", "month": "^[0-9]{4}-(?:0[1-9]|1[0-2])$"}
        return shapes.get(self.to, one_of(AGE_BANDS))

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        dates = civil_dates(column).dictionary_encode()
        values = self._generalized(dates.dictionary, given.day).take(dates.indices)
        return Masked(values, lost(column, values))

    def _generalized(self, dates: pa.Array, day: date) -> pa.Array:
        """Returns what is left of each date; formatting is slow, so it is done once a distinct date."""
        if self.to == "age_band":
            return _age_bands(dates, day)
        if self.to == "quarter":
            quarters = pc.quarter(dates).cast(pa.string())
            return pc.binary_join_element_wise(pc.strftime(dates, format="%Y"), quarters, "-Q")
        return pc.strftime(dates, format="%Y" if self.to == "year" else "%Y-%m")


def _age_bands(births: pa.Array, day: date) -> pa.Array:
    """Returns the band of completed years on `day`; null for who is not born by then."""
    year, month, of_month = (np.asarray(part(births).fill_null(1)) for part in (pc.year, pc.month, pc.day))
    birthday_ahead = (month > day.month) | ((month == day.month) & (of_month > day.day))
    ages = day.year - year - birthday_ahead
    bands = np.minimum(np.maximum(ages, 0) // 10, len(AGE_BANDS) - 1)
    unknown = np.asarray(births.is_null()) | (ages < 0)
    return pa.array(AGE_BANDS).take(pa.array(bands, mask=unknown))
