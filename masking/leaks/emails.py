"""Knows e-mail addresses: a local part, an at sign, a domain with a dot; in letters of any script (RFC 6531).

The whole run of letters before the at sign is the local part: in a text without spaces it may take a word too many,
and never leaves a part of a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from masking.leaks.signs import LETTER, SYMBOL
from masking.leaks.spelling import Plain

_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255
_IN_LOCAL: Final = rb"0-9A-Za-z!#$%&'*+/=?^_`{|}~.\xe1\xe2\-"
_LOCAL: Final = re.compile(rb"""(?:[%b]{1,64}|"[^"\r\n]{1,62}")\Z""" % _IN_LOCAL)
_FIELD: Final = re.compile(rb"^.*&[A-Za-z0-9_.\-]{1,30}=(?=.)")
"""What form encoding has before an address: `pan=4111&mail=`."""

_LABELS: Final = rb"(?:[0-9A-Za-z\xe1][0-9A-Za-z_\xe1\-]{0,62}\.){1,10}"
_DOMAIN: Final = re.compile(rb"%b(?:[xX][nN]--[0-9A-Za-z\-]{2,59}|[A-Za-z]{2,24})" % _LABELS)
_FOREIGN_DOMAIN: Final = re.compile(rb"%b\xe1{1,63}" % _LABELS)
_LABEL: Final = np.zeros(256, np.bool_)
_LABEL[[*b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", LETTER]] = True
_ENDS_LOCAL: Final = _LABEL.copy()
_ENDS_LOCAL[[*b"!#$%&'*+/=?^_`{|}~.-\"", SYMBOL]] = True


def find_emails(text: Plain) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every e-mail address, in positions of the plain text."""
    if not text.holds(b"@"):
        return
    at_signs = np.flatnonzero(text.data == ord("@"))
    at_signs = at_signs[(at_signs > 0) & (at_signs + 1 < len(text.data))]
    at_signs = at_signs[_ENDS_LOCAL[text.data[at_signs - 1]] & _LABEL[text.data[at_signs + 1]]]
    rows = np.searchsorted(text.offsets, at_signs, "right") - 1
    for position, row in zip(at_signs.tolist(), rows.tolist(), strict=True):
        after = text.piece(row, position + 1, position + 1 + _LONGEST_DOMAIN)
        domain = _DOMAIN.match(after) or _FOREIGN_DOMAIN.match(after)
        local = _LOCAL.search(text.piece(row, position - _LONGEST_LOCAL, position)) if domain else None
        if domain and local:
            own = len(_FIELD.sub(b"", local.group(), count=1))
            yield row, position - own, position + 1 + domain.end()
