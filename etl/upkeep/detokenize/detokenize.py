"""Turns tokens back, for a purpose: every look is in the access log before its first value exists."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import pyarrow as pa

from etl.clock import now
from etl.upkeep.detokenize.access_log import AccessLog
from etl.upkeep.lines import given
from etl.upkeep.requester import account, checked_purpose, host
from masking.errors import KagemushaError
from masking.keyring import Keyring
from masking.leaks import OwnIins
from masking.strategies import MaskContext, Tokenize
from schemas.domains import DomainUse

BATCH: Final = 1000
"""Tokens that one record of the access log answers for."""


class DetokenizeRefused(KagemushaError):
    """Tokens may not be turned back like this."""

    advice = 'Say why in --purpose, e.g. --purpose "chargeback case 2023-0815".'


@dataclass(frozen=True)
class Detokenized:
    """The values of a batch of tokens, in their order; None for lines that no key of the domain made."""

    values: tuple[str | None, ...] = field(repr=False)

    @property
    def failed(self) -> int:
        """How many lines were no tokens of the domain."""
        return sum(value is None for value in self.values)


def stated_purpose(purpose: str) -> str:
    """Returns the purpose as the access log will record it.

    Raises:
        DetokenizeRefused: there is none, or it holds what must not be written down.
    """
    return checked_purpose(purpose, DetokenizeRefused, "No value was unmasked.")


def detokenize(
    tokens: Iterable[str],
    use: DomainUse,
    purpose: str,
    keys: Keyring,
    log: AccessLog,
    version: int | None = None,
    own_iins: OwnIins = (),
) -> Iterator[Detokenized]:
    """Yields the values of tokens, batch by batch; empty lines stay empty.

    Before a batch is opened, a line in the access log says who asked for how many values of which domain and why. The
    tokens themselves are in it where they cannot be mistaken for values (`tokenize`).

    Args:
        tokens: one a line, of one domain.
        use: a column of the domain.
        purpose: why.
        keys: versions that only read are fine.
        log: where the look is written down.
        version: the key version of tokens that do not name theirs (`fpe`); the primary one when None.
        own_iins: the settings' own IINs; those of the column's contract are added.

    Raises:
        DetokenizeRefused: the purpose is missing or unfit.
        AccessLogUnusable: the look cannot be written down.
        KeyUnusable: a token's key version was destroyed or never existed.
    """
    asked = {
        "look": uuid.uuid4().hex,
        "domain": use.strategy.domain,
        "strategy": use.strategy.strategy,
        "purpose": stated_purpose(purpose),
        "user": account(),
        "host": host(),
        "version": version,
    }
    use = replace(use, own_iins=tuple(sorted({*own_iins, *use.own_iins})))
    lines = given(tokens, "No further value was unmasked.")
    while batch := list(islice(lines, BATCH)):
        yield _opened(batch, use, asked, keys, log, version)


def _opened(
    batch: list[str], use: DomainUse, asked: Mapping[str, object], keys: Keyring, log: AccessLog, version: int | None
) -> Detokenized:
    count = sum(map(bool, batch))
    log.append({"event": "asked", **asked, "count": count, "tokens": _named(batch, use)})
    failure = None
    try:
        values = _values([line or None for line in batch], use, keys, version)
    except KagemushaError as error:
        failure = error
    if failure is not None:
        log.append({"event": "refused", "look": asked["look"], "error": type(failure).__name__})
        raise failure.at(domain=use.strategy.domain)
    opened = Detokenized(tuple("" if not line else value for line, value in zip(batch, values, strict=True)))
    log.append({"event": "opened", "look": asked["look"], "count": count - opened.failed, "failed": opened.failed})
    return opened


def _values(tokens: list[str | None], use: DomainUse, keys: Keyring, version: int | None) -> list[str | None]:
    kind = pa.binary() if use.raw_bytes else pa.string()
    given = MaskContext(keys, now().date(), own_iins=use.own_iins)
    unmasked = use.strategy.unmask(pa.array(tokens, pa.string()), given, version=version, of=kind).values.to_pylist()
    return [value.hex() if isinstance(value, bytes) else value for value in unmasked]


def _named(batch: list[str], use: DomainUse) -> list[str] | None:
    """Returns the tokens among the lines, where their shape proves that they are tokens and not values."""
    if not isinstance(use.strategy, Tokenize):
        return None
    shape = re.compile(use.strategy.token_pattern() or "")
    return [line for line in batch if shape.fullmatch(line)]
