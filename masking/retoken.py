"""Brings tokens of earlier key versions under the primary one: each value is seen only between two ciphers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import KagemushaError
from masking.keyring import Keyring
from masking.leaks import OwnIins
from masking.rows import flags
from masking.strategies import KeyedStrategy, MaskContext, Tokenize

Versions = npt.NDArray[np.int64]
"""The key version that made each row's tokens; 0 where a row has none."""

_ANY_DAY = date(1970, 1, 1)  # no reversible strategy looks at the business day
_VERSION = "^k(?P<version>[0-9]{1,9})_"
_NOT_CHANGED = "No token was changed."


class TokensUnreadable(KagemushaError):
    """Values stand where tokens should, or tokens of one row are of several key versions."""

    advice = "Load the rows again from their source with `kagemusha run`."


def retokened(
    batch: pa.RecordBatch, strategies: Mapping[str, KeyedStrategy], keys: Keyring, own_iins: OwnIins = ()
) -> pa.RecordBatch:
    """Returns a published batch with its reversible tokens under the primary version; all else stays as it is.

    Args:
        batch: published rows.
        strategies: token column → its reversible strategy; at least one is `tokenize`, whose tokens name the version
            under which the whole row was masked.
        keys: holds the earlier versions, if only for reading.
        own_iins: the issuer's own IINs, as the tokens were made with.

    Raises:
        TokensUnreadable: a value is no token of its column, or a row's tokens name different versions.
        KeyUnusable: a version was destroyed.
    """
    versions = row_versions(batch, [name for name, one in strategies.items() if isinstance(one, Tokenize)])
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name, strategy in strategies.items():
        try:
            columns[name] = current_tokens(columns[name], versions, strategy, keys, own_iins)
        except KagemushaError as error:
            problem = error.at(column=name)
        else:
            continue
        raise problem
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)


def row_versions(batch: pa.RecordBatch, columns: list[str]) -> Versions:
    """Returns the key version that the tokens of each row name.

    Raises:
        TokensUnreadable: a value names none, or the tokens of a row name different ones.
    """
    versions = np.zeros(batch.num_rows, np.int64)
    for name in columns:
        tokens = batch.column(name)
        texts = pc.struct_field(pc.extract_regex(tokens, _VERSION), [0])
        unnamed = tokens.is_valid().to_numpy(zero_copy_only=False) & texts.is_null().to_numpy(zero_copy_only=False)
        named = texts.fill_null("0").cast(pa.int64()).to_numpy()
        several = (named != versions) & (named > 0) & (versions > 0)
        for wrong, what in ((unnamed, "are no tokens"), (several, "are of another key version than their row")):
            if wrong.any():
                raise TokensUnreadable(
                    f"{int(wrong.sum())} values of {name} {what}.", not_done=_NOT_CHANGED, where={"column": name}
                )
        versions = np.maximum(versions, named)
    return versions


def current_tokens(
    tokens: pa.Array, versions: Versions, strategy: KeyedStrategy, keys: Keyring, own_iins: OwnIins = ()
) -> pa.Array:
    """Returns the primary version's tokens of the same values; those that are of it already stay.

    Args:
        tokens: made by the strategy; nulls stay.
        versions: the key version of each row.
        strategy: a reversible one.
        keys: holds the versions.
        own_iins: the issuer's own IINs, as the tokens were made with.

    Raises:
        TokensUnreadable: a value is no token of the strategy under its version.
        KeyUnusable: a version was destroyed.
    """
    # What comes out of a token is normalized already, and bytes of any encoding go in again as they came out.
    plain = pa.binary() if isinstance(strategy, Tokenize) else pa.string()
    again = strategy.model_copy(update={"normalize": ()})
    given = MaskContext(keys, _ANY_DAY, own_iins=own_iins)
    for version in np.unique(versions).tolist():
        chosen = pa.array(versions == version)
        old = tokens.filter(chosen)
        if version == keys.primary or old.null_count == len(old):
            continue
        if version == 0:
            raise TokensUnreadable(f"{len(old) - old.null_count} tokens have no key version.", not_done=_NOT_CHANGED)
        opened = strategy.unmask(old, given, version=version, of=plain)
        new = again.mask(opened.values, given)
        lost = flags(pc.and_(old.is_valid(), new.values.is_null()))
        if lost.any():
            raise TokensUnreadable(
                f"{int(lost.sum())} values are no tokens of domain {strategy.domain} under key version {version}.",
                not_done=_NOT_CHANGED,
            )
        tokens = pc.replace_with_mask(tokens, chosen, new.values.cast(tokens.type))
    return tokens
