"""Opens token maps: while some tables have old tokens and some new ones, views join them over what the old became."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from etl.progress import Progress
from etl.publish import load_map, old_tokens_sql
from etl.upkeep.retokenize.restager import Restager
from masking.leaks import Allowed
from masking.strategies import Fpe, KeyedStrategy
from schemas.contract import Contract
from schemas.domains import rewritable_columns


def open_maps(restager: Restager, contracts: Sequence[Contract], primary: int, progress: Progress) -> None:
    """Makes, or makes complete, the token map of every domain that has old tokens in any table.

    Args:
        restager: of the retokenization.
        contracts: of the tables with old tokens.
        primary: the key version that tokens are renewed to.
        progress: hears of every map.
    """
    for domain, strategy in token_domains(contracts).items():
        label = f"token_map_{domain}"
        select = old_tokens_sql(restager.warehouse, contracts, domain, primary)
        file = restager.stage_map(label, select, strategy, _allowed(contracts, domain))
        rows = load_map(restager.warehouse, restager.location, domain, file, f"kagemusha_{restager.run_id}_{label}")
        progress.say(label, "published", rows=rows)


def token_domains(contracts: Iterable[Contract]) -> dict[str, KeyedStrategy]:
    """Returns the domains of the contracts' tokens, each with the strategy that makes them."""
    uses = (one for contract in contracts for one in rewritable_columns(contract).values())
    return dict(sorted(((one.domain, one) for one in uses), key=lambda pair: pair[0]))


def _allowed(contracts: Iterable[Contract], domain: str) -> Allowed:
    """Returns what tokens of a domain may look like in any of its columns."""
    uses = [
        (contract.selected[column], strategy)
        for contract in contracts
        for column, strategy in rewritable_columns(contract).items()
        if strategy.domain == domain
    ]
    kinds = frozenset(kind for column, _ in uses for kind in column.may_look_like)
    return Allowed(kinds, tokens=any(isinstance(strategy, Fpe) for _, strategy in uses))
