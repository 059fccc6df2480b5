"""Knows e-mail addresses: a local part, an at sign, a domain with a dot; Japanese letters on either side too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from masking.leaks.spelling import Plain

_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255
_LOCAL = re.compile(rb"""(?:[0-9A-Za-z!#$%&'*+/=?^_`{|}~.\-]+|[\x80-\xff]+|"[^"\r\n]{1,62}")\Z""")
_DOMAIN = re.compile(rb"(?:[0-9A-Za-z\x80-\xff][0-9A-Za-z_\x80-\xff\-]{0,62}\.){1,10}[A-Za-z]{2,24}")


def find_emails(text: Plain) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every e-mail address, in positions of the plain text."""
    at_signs = np.flatnonzero(text.data == ord("@"))
    rows = np.searchsorted(text.offsets, at_signs, "right") - 1
    for position, row in zip(at_signs.tolist(), rows.tolist(), strict=True):
        domain = _DOMAIN.match(text.piece(row, position + 1, position + 1 + _LONGEST_DOMAIN))
        local = _LOCAL.search(text.piece(row, position - _LONGEST_LOCAL, position)) if domain else None
        if domain and local:
            yield text.whole(row, position - len(local.group()), position + 1 + domain.end())
