"""Public: the token that the pipeline publishes for a value, for programs that must send or look up the same one.

An app's backend that reports events under a member's token, and never under a member's number, needs this module, a
keyring and the mask of the contract, and nothing else of ours:

    from masking.strategies import Tokenize
    from masking.tokens import token, tokens

    mask = Tokenize(domain="member")          # as the contract's column has it, with its `normalize`
    token(42, keys, mask)                     # "k1_0d63…"; the same for "42"
    tokens([42, 43, None], keys, mask)        # a list, of None where the value is None
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pyarrow as pa

from masking.errors import KagemushaError
from masking.keyring import Keyring
from masking.leaks import OwnIins
from masking.strategies import KeyedStrategy, MaskContext

Value = str | int | Decimal | bool | date | bytes
"""What a token can be made of; a number and its digits as text are one value."""

_NO_DAY = date(1, 1, 1)
"""The day of no run: tokens do not depend on one."""


class ValuesUnread(KagemushaError):
    """Values cannot become tokens: they are no text that the mask's `normalize` reads."""

    advice = "Give values as the source has them, or other steps under the mask's `normalize`."


def token(value: Value, keys: Keyring, mask: KeyedStrategy, version: int | None = None) -> str:
    """Returns the token of a value.

    Args:
        value: as the source has it.
        keys: the pipeline's keyring, or one of its versions.
        mask: of the contract's column: the domain, and how spellings are normalized.
        version: the key version that makes the token; the primary one when None.

    Raises:
        ValuesUnread: the value cannot be read.
        KeyUnusable: the version is unknown, retired or destroyed.
    """
    (made,) = tokens([value], keys, mask, version)
    if made is None:
        raise ValuesUnread("A token needs a value.", not_done="No token was made.")
    return made


def tokens(
    values: Sequence[Value | None], keys: Keyring, mask: KeyedStrategy, version: int | None = None
) -> list[str | None]:
    """Returns the tokens of values of one type, in their order; None stays None.

    Raises:
        ValuesUnread: values cannot be read, or are of several types; with their number.
        KeyUnusable: the version is unknown, retired or destroyed.
    """
    column = None
    with suppress(pa.ArrowException, TypeError, ValueError, OverflowError):  # their texts quote values
        column = pa.array(values)
    if column is None:
        raise ValuesUnread("Values are not of one type that has tokens.", not_done="No token was made.")
    made: list[str | None] = token_column(column, keys, mask, version).to_numpy(zero_copy_only=False).tolist()
    return made  # by way of NumPy, which makes a list of a million texts in a fifth of the time


def token_column(
    column: pa.Array, keys: Keyring, mask: KeyedStrategy, version: int | None = None, own_iins: OwnIins = ()
) -> pa.StringArray:
    """Returns the tokens of a column, null where it is null: the fastest way for many values.

    Args:
        column: of any type that has tokens.
        keys: the pipeline's keyring.
        mask: of the contract's column.
        version: the key version that makes the tokens; the primary one when None.
        own_iins: the issuer's own, which tokens of `fpe` avoid.

    Raises:
        ValuesUnread: values cannot be read; with their number.
        KeyUnusable: the version is unknown, retired or destroyed.
        StrategyMisused: values of the column's type have no tokens.
    """
    used = keys if version is None else keys.pinned(version)
    masked = mask.mask(column, MaskContext(used, _NO_DAY, own_iins=own_iins))
    unread = 0 if masked.invalid is None else int(masked.invalid.sum())
    if unread:
        raise ValuesUnread(f"{unread} of {len(column)} values cannot be read.", not_done="No token was made.")
    return masked.values
