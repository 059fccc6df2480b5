"""Who is to be forgotten: raw identifiers become the tokens under which BigQuery may hold the persons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyarrow as pa

from etl.errors import SettingsInvalid
from etl.upkeep.lines import as_value, given
from masking.keyring import Keyring
from masking.leaks import OwnIins
from masking.strategies import JsonFields, KeyedStrategy, MaskContext, Pseudonymize
from schemas.contract import Contract

MOST: Final = 10_000
"""Identifiers of one erasure: their tokens travel as parameters of one statement."""
_REFERENCES: Final = Pseudonymize(domain="kagemusha_erasure")


class ErasureRefused(SettingsInvalid):
    """The erasure cannot be done as it was asked for."""

    advice = "Nothing has to be cleaned up; correct the call and try again."


@dataclass(frozen=True)
class TokenColumn:
    """A published column that may hold the persons, and the tokens under which it may."""

    name: str
    tokens: tuple[str, ...]


def read_persons(lines: Iterable[str]) -> tuple[str, ...]:
    """Returns the identifiers, one a line, each once; empty lines do not count.

    Raises:
        ErasureRefused: there is none, or there are too many.
        SettingsInvalid: they are no text in UTF-8.
    """
    found: dict[str, None] = {}
    for line in given(lines, "Nothing was erased."):
        if line:
            found.setdefault(line)
        if len(found) > MOST:
            raise ErasureRefused(f"There are more than {MOST:,} identifiers.", not_done="Nothing was erased.")
    if not found:
        raise ErasureRefused(
            "There is no identifier on standard input.", not_done="Nothing was erased.", advice="One a line."
        )
    return tuple(found)


def versions(keys: Keyring) -> tuple[int, ...]:
    """Returns every key version under which tokens may have been made and can still be made again."""
    return tuple(version.version for version in keys.versions if version.state != "destroyed")


def token_columns(
    contract: Contract, domain: str, persons: Sequence[str], keys: Keyring, own_iins: OwnIins = ()
) -> tuple[TokenColumn, ...]:
    """Returns the columns of a table that may hold the persons, with the persons' tokens under every key version.

    Args:
        contract: of the table; its own IINs are added to the settings'.
        domain: of the identifiers.
        persons: the identifiers as the source has them.
        keys: of every version that can still make tokens.
        own_iins: the settings' own IINs, as the tokens were made with.

    Raises:
        ErasureRefused: some identifiers cannot be such a column's values; counted, never shown.
    """
    own = tuple(sorted({*own_iins, *contract.own_iins}))
    return tuple(
        TokenColumn(name, _tokens(contract, name, strategy, persons, keys, own))
        for name, strategy in keyed_columns(contract, domain)
    )


def keyed_columns(contract: Contract, domain: str) -> Iterator[tuple[str, KeyedStrategy]]:
    """Yields the published columns whose tokens are of the domain."""
    for name, column in contract.selected.items():
        if isinstance(column.mask, KeyedStrategy) and column.mask.domain == domain:
            yield name, column.mask


def unsearchable(contract: Contract, domain: str) -> tuple[str, ...]:
    """Returns the JSON columns with a field of the domain: their tokens are inside a document."""
    return tuple(
        name
        for name, column in contract.selected.items()
        if isinstance(column.mask, JsonFields)
        and any(isinstance(one, KeyedStrategy) and one.domain == domain for one in column.mask.fields.values())
    )


def references(domain: str, persons: Sequence[str], keys: Keyring) -> list[str]:
    """Returns a keyed hash of each identifier: proves later that a person was among them, and cannot be turned back."""
    named = pa.array([f"{domain}:{person}" for person in persons], pa.string())
    hashed: list[str] = _REFERENCES.mask(named, MaskContext(keys, date.min)).values.to_pylist()
    return hashed


def _tokens(
    contract: Contract, name: str, strategy: KeyedStrategy, persons: Sequence[str], keys: Keyring, own: OwnIins
) -> tuple[str, ...]:
    kind = contract.selected[name].type.arrow
    values = pa.array([as_value(person, kind) for person in persons], kind)
    unfit = values.null_count
    tokens: dict[str, None] = {}
    for version in versions(keys):
        masked = strategy.mask(values, MaskContext(keys.as_of(version), date.min, own_iins=own)).values
        unfit = max(unfit, masked.null_count)
        tokens |= dict.fromkeys(masked.drop_null().to_pylist())
    if unfit:
        raise ErasureRefused(
            f"{unfit} of {len(persons)} lines cannot be identifiers of {contract.table}.{name}.",
            not_done="Nothing was erased.",
            advice="Give them as the source spells them, one a line.",
        )
    return tuple(tokens)
