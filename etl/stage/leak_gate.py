"""The leak gate: the last look at masked rows before they leave the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pyarrow as pa

from etl.errors import NOT_PUBLISHED, STOPPED
from etl.stage.leak_advice import advice, found
from masking.errors import KagemushaError
from masking.leaks import Allowed, LeakKind, OwnIins, find_leaks


class LeakFound(KagemushaError):
    """Masked values still look like card numbers, people's numbers or addresses, or are not what they are declared."""

    advice = "Give the column the class of what it holds, or declare its `format`; masking/POLICY.md tells both."
    exit_code: ClassVar[int] = STOPPED


def refuse_leaks(
    batch: pa.RecordBatch, allowed: Mapping[str, Allowed | frozenset[LeakKind]], own: OwnIins = (), read: int = 0
) -> None:
    """Lets a batch pass that holds nothing a card number or a person can be read from.

    Args:
        batch: what is about to be staged.
        allowed: column → what its contract lets it hold.
        own: the issuer's own IINs.
        read: rows that were read up to here, for whoever reports the failure.

    Raises:
        LeakFound: it does; columns, kinds and counts only, and what helps for each.
    """
    leaks = find_leaks(batch, allowed, own)
    if leaks:
        where = {"rows_read": read} if read else {}
        raise LeakFound(
            f"{'; '.join(map(found, leaks))}.", not_done=NOT_PUBLISHED, advice=" ".join(advice(leaks)), where=where
        )
