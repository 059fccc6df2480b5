"""Publishes what is after the @ of an e-mail address."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, StringConstraints

from masking.normalize import email
from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.strategies.patterns import one_of
from masking.text_types import is_text

MailDomain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]

PUBLIC_PROVIDERS = (
    "au.com",
    "biglobe.ne.jp",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "gmail.com",
    "hotmail.co.jp",
    "hotmail.com",
    "i.softbank.jp",
    "icloud.com",
    "live.jp",
    "mac.com",
    "me.com",
    "msn.com",
    "nifty.com",
    "ocn.ne.jp",
    "outlook.com",
    "outlook.jp",
    "rakuten.jp",
    "so-net.ne.jp",
    "softbank.ne.jp",
    "uqmobile.jp",
    "yahoo.co.jp",
    "yahoo.com",
    "yahoo.ne.jp",
    "ymail.ne.jp",
    "ymobile.ne.jp",
)
"""Providers whose domain says nothing about a person because millions share it."""


class EmailDomain(FallibleStrategy):
    """Publishes the provider of an e-mail address where millions share it, and one word for all others.

    A company's or a person's own domain identifies; that is why only listed domains show. What is no e-mail address is
    invalid.
    """

    strategy: Literal["email_domain"] = "email_domain"
    known: tuple[MailDomain, ...] = Field(
        default=PUBLIC_PROVIDERS, min_length=1, description="Domains that are published: public providers."
    )
    other: str = Field(default="other", min_length=1, max_length=64, description="What every other domain becomes.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("Hanako@GMAIL.com", "gmail.com"), ("taro@yamada.example", "other"), (None, None))),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes text."""
        if not (is_text(source) or pa.types.is_null(source)):
            raise self._misused(source, "text")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the listed domains and the word for all others."""
        return one_of((*self.known, self.other))

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        domains = pc.replace_substring_regex(email(column).cast(pa.string()), "^.*@", "")
        listed = pc.is_in(domains, value_set=pa.array(self.known))
        shown = pc.if_else(listed, domains, self.other)
        values = pc.if_else(domains.is_valid(), shown, pa.scalar(None, pa.string()))
        return Masked(values, lost(column, values))
