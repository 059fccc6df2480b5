"""What becomes of a person's rows when that person must be forgotten: a rule of the contract."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.reviewed import Reviewed


class DeleteRows(Reviewed):
    """The person's rows are deleted."""

    rule: Literal["delete"]


class NullifyColumns(Reviewed):
    """The person's rows stay, for what they count; every column whose class is not `none` becomes NULL, but the key."""

    rule: Literal["nullify"]


class KeepRows(Reviewed):
    """The person's rows stay as they are, because a law demands it."""

    rule: Literal["keep"]
    why: str = Field(min_length=1, description="The law and its period.")


Erasure = Annotated[DeleteRows | NullifyColumns | KeepRows, Field(discriminator="rule")]
