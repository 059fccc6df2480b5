"""The leak gate: the last look at masked rows before they leave the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import pyarrow as pa

from etl.errors import NOT_PUBLISHED, STOPPED
from masking.errors import KagemushaError
from masking.leaks import LeakKind, find_leaks

_LOOKS_LIKE: Final = {
    LeakKind.PAN: "card numbers",
    LeakKind.TRACK: "magnetic stripe data",
    LeakKind.MY_NUMBER: "My Numbers",
    LeakKind.EMAIL: "e-mail addresses",
    LeakKind.PHONE: "phone numbers",
}


class LeakFound(KagemushaError):
    """Masked values still look like card numbers, My Numbers, e-mail addresses or phone numbers."""

    advice = "Use scrub_text or drop."
    exit_code: ClassVar[int] = STOPPED


def refuse_leaks(batch: pa.RecordBatch, allowed: Mapping[str, frozenset[LeakKind]]) -> None:
    """Lets a batch pass that holds nothing a card number or a person can be read from.

    Args:
        batch: what is about to be staged.
        allowed: column → kinds that its contract lets it look like.

    Raises:
        LeakFound: it does; columns, kinds and counts only.
    """
    leaks = find_leaks(batch, allowed)
    if leaks:
        found = "; ".join(f"{leak.count} values of {leak.column} look like {_LOOKS_LIKE[leak.kind]}" for leak in leaks)
        raise LeakFound(f"{found}.", not_done=NOT_PUBLISHED)
