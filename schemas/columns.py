"""Columns of a contract: what a source column is and what becomes of it, and what is computed from kept ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from masking.formats import NumberFormat
from masking.leaks import LeakKind
from masking.policy import ColumnClass
from masking.strategies import AnyStrategy
from schemas.reviewed import Name, Reviewed, TypeInYaml
from schemas.words import Text

AllowedLeak = Literal[LeakKind.MY_NUMBER, LeakKind.EMAIL, LeakKind.PHONE]


class Column(Reviewed):
    """One source column: what it is, and what becomes of it."""

    type: TypeInYaml
    column_class: ColumnClass = Field(
        alias="class", description="What the value is; policy says which strategies it may have."
    )
    mask: AnyStrategy = Field(description="What becomes of the value.")
    publish_as: Name | None = Field(
        default=None, description="The published column's name, where contracts do not publish the source's own."
    )
    nullable: bool = Field(default=True, description="False: a NULL in the published column fails the audit.")
    may_look_like: tuple[AllowedLeak, ...] = Field(
        default=(),
        description="What the leak gate lets pass here, such as a public contact's e-mail; never card numbers.",
    )
    number: NumberFormat | None = Field(
        default=None,
        alias="format",
        description="What every value of a kept number is: a scheme's name, or a pattern and why. What fits may look "
        "like a card number, a My Number or a phone; what does not stops the table. Own cards never pass.",
    )
    control: str = Field(
        default="",
        description="The answer to a finding that a rule lets a contract answer: the compensating control, or why the "
        "column's name misleads.",
    )
    values: tuple[str | int, ...] = Field(
        default=(), description="The only values of a kept string or int64 column: any other fails the audit."
    )
    about: Text = Field(
        default=Text(), description="Published as the BigQuery column description; a text, or one in each language."
    )

    @property
    def dropped(self) -> bool:
        """Whether the column never leaves the database."""
        return self.mask.strategy == "drop"

    @property
    def kept(self) -> bool:
        """Whether the published value is the source's own."""
        return self.mask.strategy == "keep"


class Derived(Reviewed):
    """One published column that is computed from a kept one."""

    type: Literal["date"]
    source: Name = Field(alias="from", description="The kept timestamp column it is computed from, as published.")
    rule: Literal["business_date"] = Field(alias="as", description="business_date: the calendar date in Japan (JST).")
    about: Text = Text()
