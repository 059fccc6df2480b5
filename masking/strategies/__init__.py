"""All strategies that exist, as one union that the key `strategy` tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from masking.strategies.base import Domain, Example, FallibleStrategy, KeyedStrategy, MaskContext, Masked, Strategy
from masking.strategies.bucket import Bucket
from masking.strategies.drop import Drop
from masking.strategies.email_domain import EmailDomain
from masking.strategies.fpe import Fpe
from masking.strategies.generalize_date import GeneralizeDate
from masking.strategies.ip_prefix import IpPrefix
from masking.strategies.json_fields import JsonFields
from masking.strategies.keep import Keep
from masking.strategies.null import Null
from masking.strategies.partial import Partial
from masking.strategies.postal_area import PostalArea
from masking.strategies.prefecture import Prefecture
from masking.strategies.pseudonymize import Pseudonymize
from masking.strategies.redact import Redact
from masking.strategies.round import Round
from masking.strategies.scrub_text import ScrubText
from masking.strategies.shift_date import ShiftDate
from masking.strategies.tokenize import Tokenize
from masking.strategies.truncate_pan import TruncatePan


def _with_null_named(parameters: object) -> object:
    """Reads `strategy: null` as the strategy of that name, although YAML takes an unquoted null for no value."""
    if isinstance(parameters, Mapping) and "strategy" in parameters and parameters["strategy"] is None:
        return {**parameters, "strategy": "null"}
    return parameters


AnyStrategy = Annotated[
    Keep
    | Drop
    | Null
    | Redact
    | Tokenize
    | Pseudonymize
    | Fpe
    | TruncatePan
    | Partial
    | GeneralizeDate
    | ShiftDate
    | Bucket
    | Round
    | PostalArea
    | Prefecture
    | EmailDomain
    | IpPrefix
    | ScrubText
    | JsonFields,
    Field(discriminator="strategy"),
    BeforeValidator(_with_null_named),
]

JsonFields.model_rebuild(_types_namespace={"AnyStrategy": AnyStrategy})

__all__ = [
    "AnyStrategy",
    "Bucket",
    "Domain",
    "Drop",
    "EmailDomain",
    "Example",
    "FallibleStrategy",
    "Fpe",
    "GeneralizeDate",
    "IpPrefix",
    "JsonFields",
    "Keep",
    "KeyedStrategy",
    "MaskContext",
    "Masked",
    "Null",
    "Partial",
    "PostalArea",
    "Prefecture",
    "Pseudonymize",
    "Redact",
    "Round",
    "ScrubText",
    "ShiftDate",
    "Strategy",
    "Tokenize",
    "TruncatePan",
]
