"""The leak gate: the last look at masked rows before they leave the worker."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from etl.errors import NOT_PUBLISHED, LeakFound
from etl.stage.leak_advice import advice, found
from masking.leaks import Allowed, LeakKind, OwnIins, find_leaks


def refuse_leaks(
    batch: pa.RecordBatch, allowed: Mapping[str, Allowed | frozenset[LeakKind]], own: OwnIins = ()
) -> None:
    """Lets a batch pass that holds nothing a card number or a person can be read from.

    Args:
        batch: what is about to be staged.
        allowed: column → what its contract lets it hold.
        own: the issuer's own IINs.

    Raises:
        LeakFound: it does; columns, kinds and counts only, and what helps for each.
    """
    leaks = find_leaks(batch, allowed, own)
    if leaks:
        raise LeakFound(f"{'; '.join(map(found, leaks))}.", not_done=NOT_PUBLISHED, advice=" ".join(advice(leaks)))
