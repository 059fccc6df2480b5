"""Which columns use which domain, and how its tokens are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from masking.leaks import OwnIins
from masking.strategies import Fpe, JsonFields, KeyedStrategy
from schemas.contract import Contract
from schemas.errors import ContractInvalid, DomainRefused
from schemas.types import ColumnType

_CHOICES: Final = {"on_invalid", "quarantine_budget"}
"""Parameters that do not change what a token of a value is."""
_TEXT: Final = ColumnType("string")
"""What a field of a JSON column holds."""


@dataclass(frozen=True)
class DomainUse:
    """One column, or one field of a JSON column, whose values become tokens of a domain.

    Attributes:
        table: of the contract.
        column: the published one.
        strategy: makes the tokens.
        type: of the source's values.
        own_iins: the contract's own IINs, which no token of it has.
    """

    table: str
    column: str
    strategy: KeyedStrategy
    type: ColumnType
    own_iins: OwnIins = ()

    @property
    def raw_bytes(self) -> bool:
        """Whether the source's values are bytes."""
        return self.type.name == "bytes"


def domain_uses(contracts: Iterable[Contract]) -> Iterator[DomainUse]:
    """Yields every use of every domain whose tokens can meet, in the order of tables and columns."""
    for contract in contracts:
        for name, column in contract.selected.items():
            masks = column.mask.fields.values() if isinstance(column.mask, JsonFields) else (column.mask,)
            for mask in masks:
                if isinstance(mask, KeyedStrategy):
                    held = column.type if mask is column.mask else _TEXT
                    yield DomainUse(contract.table, name, mask, held, contract.own_iins)


def rewritable_columns(contract: Contract) -> dict[str, KeyedStrategy]:
    """Returns the columns whose tokens can be brought under another key version, with their strategies."""
    masks = {name: column.mask for name, column in contract.selected.items()}
    return {name: mask for name, mask in masks.items() if isinstance(mask, KeyedStrategy) and mask.reversible}


def one_way_columns(contract: Contract) -> tuple[str, ...]:
    """Returns the columns that depend on a key and need their source to come under another version."""
    rewritable = rewritable_columns(contract)
    return tuple(
        name for name, column in contract.selected.items() if column.mask.key_uses() and name not in rewritable
    )


def reversible_use(contracts: Iterable[Contract], domain: str) -> DomainUse:
    """Returns a use of the domain whose strategy turns any of its tokens back.

    Raises:
        DomainRefused: no column uses the domain, or its tokens cannot be turned back.
        ContractInvalid: columns of the domain make different tokens.
    """
    uses = tuple(domain_uses(contracts))
    found = [use for use in uses if use.strategy.domain == domain]
    reversible = [use for use in found if use.strategy.reversible]
    if not reversible:
        known = sorted({use.strategy.domain for use in uses if use.strategy.reversible})
        kinds = ", ".join(sorted({use.strategy.strategy for use in found}))
        raise DomainRefused(
            f"Domain {domain} is masked by {kinds}, which cannot be turned back."
            if found
            else "No contract has that domain.",
            not_done="No value was unmasked.",
            advice=f"Domains whose tokens can be turned back: {', '.join(known) or 'none'}.",
        )
    return _one_of(reversible, "No value was unmasked.")


def token_use(contracts: Iterable[Contract], domain: str) -> DomainUse:
    """Returns a use of the domain that makes the tokens which every table publishes; text, where types differ.

    Raises:
        DomainRefused: no column uses the domain.
        ContractInvalid: columns of the domain make different tokens.
    """
    uses = tuple(domain_uses(contracts))
    found = [use for use in uses if use.strategy.domain == domain]
    if not found:
        known = sorted({use.strategy.domain for use in uses})
        raise DomainRefused(
            "No contract has that domain.", not_done="No token was made.", advice=f"Domains: {', '.join(known)}."
        )
    first = _one_of(found, "No token was made.")
    return first if len({use.type for use in found}) == 1 else replace(first, type=_TEXT)


def _one_of(uses: Sequence[DomainUse], not_done: str) -> DomainUse:
    first = uses[0]
    other = next((use for use in uses if _makes(use) != _makes(first)), None)
    if other is not None:
        raise ContractInvalid(
            f"{first.table}.{first.column} and {other.table}.{other.column} make different tokens of domain "
            f"{first.strategy.domain}.",
            not_done=not_done,
            advice="Give them domains of their own, or the same parameters and `own_iins`.",
        )
    return first


def _makes(use: DomainUse) -> tuple[dict[str, object], bool, frozenset[str]]:
    """Returns all that decides what a value's token is; tokens of card numbers have no regard for own IINs."""
    walks = isinstance(use.strategy, Fpe) and use.strategy.walks
    return use.strategy.model_dump(exclude=_CHOICES), use.raw_bytes, frozenset(use.own_iins if walks else ())
