"""Knows the data of a magnetic stripe: track 1 and track 2 (ISO/IEC 7813), and track 2 as a chip writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from masking.card_numbers import LONGEST, SHORTEST
from masking.leaks.lookalikes import inside_machine_text
from masking.leaks.spelling import Plain
from masking.leaks.windows import Groups

_AROUND = 2
_LONGEST_TRACK = 107
_EXPIRY_AND_SERVICE = rb"[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{3}"
_TRACK = re.compile(
    rb"%?[Bb][0-9]{13,19}\^[^\^\r\n]{2,26}\^(?:[0-9]{4}|\^)[^?\r\n]{0,60}\??"
    rb"|;?[0-9]{13,19}[=Dd]" + _EXPIRY_AND_SERVICE + rb"[0-9]*[Ff]?\??"
)
_ENDS_NUMBER = np.zeros(256, np.bool_)
_ENDS_NUMBER[list(b"=Dd^")] = True


def find_tracks(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of track data, in positions of the plain text."""
    chosen = np.flatnonzero((groups.lengths >= SHORTEST) & (groups.lengths <= LONGEST))
    after = text.data[np.minimum(groups.ends[chosen], len(text.data) - 1)]
    for group in chosen[_ENDS_NUMBER[after]].tolist():
        row, number = int(groups.rows[group]), int(groups.starts[group])
        base = max(number - _AROUND, text.start_of(row))
        around = text.piece(row, base, number + _LONGEST_TRACK)
        found = _TRACK.search(around)
        start, end = (base + found.start(), base + found.end()) if found else (number + 1, 0)
        if start <= number and not inside_machine_text(text, row, start, end):
            yield row, start, end
