"""Makes the tokens that the pipeline publishes, for programs that cannot: each batch is in the access log first.

Whoever may turn values into tokens can find out whose token one is, by trying all values. So the settings name the
domains, and every use is written down like a look behind a token.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import pyarrow as pa

from etl.upkeep.detokenize.access_log import AccessLog
from etl.upkeep.lines import as_value, given
from etl.upkeep.requester import account, checked_purpose, host
from masking.errors import KagemushaError
from masking.keyring import Keyring
from masking.leaks import OwnIins
from masking.tokens import ValuesUnread, token_column
from schemas.domains import DomainUse

BATCH: Final = 10_000
"""Values that one record of the access log answers for."""
_NOT_DONE: Final = "No token was made."


class TokenizeRefused(KagemushaError):
    """Values may not be turned into tokens like this."""

    advice = "Allow the domain under [tokenize].domains, and say why in --purpose."


def refuse_domain(domain: str, allowed: Sequence[str]) -> None:
    """Lets a domain pass that the settings name.

    Raises:
        TokenizeRefused: they do not.
    """
    if domain not in allowed:
        raise TokenizeRefused(
            f"The settings do not allow tokens of domain {domain} to be made; they allow "
            f"{', '.join(allowed) or 'none'}.",
            not_done=_NOT_DONE,
        )


def tokenize(
    values: Iterable[str],
    use: DomainUse,
    purpose: str,
    keys: Keyring,
    log: AccessLog,
    version: int | None = None,
    own_iins: OwnIins = (),
) -> Iterator[list[str | None]]:
    """Yields the tokens of values, batch by batch, None for a line that is no value of the column's type.

    The access log says before each batch who asked for how many tokens of which domain and why; values are not in it.

    Args:
        values: one a line, as the source has them; an empty line has the empty token.
        use: a column of the domain.
        purpose: why.
        keys: the pipeline's keyring.
        log: where the use is written down.
        version: the key version that makes the tokens; the primary one when None.
        own_iins: the settings' own IINs; those of the column's contract are added.

    Raises:
        TokenizeRefused: the purpose is missing or unfit.
        AccessLogUnusable: the use cannot be written down.
        KeyUnusable: the key version is unknown, retired or destroyed.
        SettingsInvalid: the values are no text in UTF-8.
    """
    asked = {
        "look": uuid.uuid4().hex,
        "domain": use.strategy.domain,
        "strategy": use.strategy.strategy,
        "purpose": checked_purpose(purpose, TokenizeRefused, _NOT_DONE),
        "user": account(),
        "host": host(),
        "version": version,
    }
    own, lines = tuple(sorted({*own_iins, *use.own_iins})), given(values, _NOT_DONE)
    while batch := list(islice(lines, BATCH)):
        yield _made(batch, use, asked, keys, log, version, own)


def _made(
    batch: list[str],
    use: DomainUse,
    asked: Mapping[str, object],
    keys: Keyring,
    log: AccessLog,
    version: int | None,
    own: OwnIins,
) -> list[str | None]:
    count = sum(map(bool, batch))
    log.append({"event": "tokens asked", **asked, "count": count})
    typed = [as_value(line, use.type.arrow) for line in batch]
    made: list[str | None] = []
    failure = None
    try:
        made = token_column(pa.array(typed, use.type.arrow), keys, use.strategy, version, own).to_pylist()
    except ValuesUnread:
        made = [_one(value, use, keys, version, own) for value in typed]
    except KagemushaError as error:
        failure = error
    if failure is not None:
        log.append({"event": "refused", "look": asked["look"], "error": type(failure).__name__})
        raise failure.at(domain=use.strategy.domain)
    failed = count - sum(token is not None for token in made)
    log.append({"event": "tokens made", "look": asked["look"], "count": count - failed, "failed": failed})
    return ["" if not line else token for line, token in zip(batch, made, strict=True)]


def _one(value: object, use: DomainUse, keys: Keyring, version: int | None, own: OwnIins) -> str | None:
    """Returns the token of one value, None where its normalization cannot read it."""
    try:
        token: str | None = token_column(pa.array([value], use.type.arrow), keys, use.strategy, version, own)[0].as_py()
    except ValuesUnread:
        return None
    return token
