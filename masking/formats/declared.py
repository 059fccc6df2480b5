"""A declared number: what a contract says that all values of a kept column are, and whether they are it."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, field_validator

from masking.formats.schemes import BY_CHANCE, SCHEMES, Scheme, SchemeName
from masking.kernels.buffers import ByteStrings, Flags

_MOST_PROPOSED: Final = 3
_ZERO: Final = np.uint8(ord("0"))


class PatternFormat(BaseModel):
    """A number that no scheme describes, by a regular expression and a reason."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    pattern: Annotated[str, StringConstraints(min_length=3, max_length=200)] = Field(
        description="A regular expression (RE2) that every whole value matches."
    )
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)] = Field(
        description="What these numbers are, and who gives them out; a reviewer reads it."
    )

    @field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        """Refuses what the engines cannot read, and what describes no number."""
        refused = ""
        try:
            admits = [re.fullmatch(pattern, probe) for probe in _NO_NUMBERS]
            pc.match_substring_regex(pa.array(["1"]), _whole(pattern))
        except (re.error, pa.ArrowInvalid):
            refused = "must be a regular expression that RE2 reads"
        else:
            if any(admits):
                refused = "must describe a number: it lets words, addresses or track data pass"
        if refused:
            raise ValueError(refused)
        return pattern

    def scheme(self) -> Scheme:
        """Returns the format as a scheme without a check digit."""
        return Scheme(self.why, self.pattern, None, 0, BY_CHANCE)


_NO_NUMBERS: Final = ("", "taro@example.jp", "%B4111111111111111^YAMADA/TARO^2512101?", "pay 4111 now", "山田太郎")


def _spelled_as(declared: object) -> str:
    """Tells which of the two spellings a contract chose, so that a wrong one is refused once."""
    return "pattern" if isinstance(declared, dict | PatternFormat) else "scheme"


NumberFormat = Annotated[
    Annotated[SchemeName, Tag("scheme")] | Annotated[PatternFormat, Tag("pattern")], Discriminator(_spelled_as)
]
"""What a contract writes after `format:`."""


def format_named(declared: NumberFormat) -> Scheme:
    """Returns the scheme of a name or of a pattern."""
    return declared.scheme() if isinstance(declared, PatternFormat) else SCHEMES[declared]


def fits(values: pa.Array, scheme: Scheme) -> Flags:
    """Flags the values that are what the scheme says: string (n) → bool (n); a null fits."""
    shaped = pc.match_substring_regex(values, _whole(scheme.pattern))
    right: Flags = pc.fill_null(shaped, fill_value=True).to_numpy(zero_copy_only=False)
    if scheme.check is None:
        return right
    right = right.copy()
    bare = pc.replace_substring_regex(values, "[^0-9]", "")
    for rows, texts in ByteStrings.from_arrow(bare).groups():
        if scheme.digits in {0, texts.shape[1]} and texts.shape[1]:
            right[rows] &= scheme.check(texts - _ZERO)
        else:
            right[rows] = False
    return right


def fitting(values: pa.Array) -> tuple[SchemeName, ...]:
    """Returns the names of the schemes that every one of the values fits, the narrowest first and few of them."""
    found: list[SchemeName] = []
    only_digits = bool(pc.all(pc.match_substring_regex(values, "^[0-9]*$"), min_count=0).as_py())
    for name, scheme in SCHEMES.items():
        if not (only_digits and scheme.letters) and fits(values, scheme).all():
            found.append(name)
            if len(found) == _MOST_PROPOSED:
                break
    return tuple(found)


@cache
def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"
