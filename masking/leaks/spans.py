"""Finds every leak in a column of strings: first the suspects, at memory speed, then the exact rules on those alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from masking.kernels.buffers import ByteStrings
from masking.leaks.cards import find_cards
from masking.leaks.emails import find_emails
from masking.leaks.kinds import ALL_KINDS, LeakKind, Span
from masking.leaks.marks import Positions, telling
from masking.leaks.my_number import find_my_numbers
from masking.leaks.own_cards import OwnIins, find_own_cards
from masking.leaks.phones import find_phones
from masking.leaks.runs import rows_of
from masking.leaks.spelling import Plain, plain
from masking.leaks.suspects import suspects
from masking.leaks.tracks import find_tracks
from masking.leaks.windows import digit_groups

_BY_GROUPS = (
    (LeakKind.TRACK, find_tracks),
    (LeakKind.PAN, find_cards),
    (LeakKind.MY_NUMBER, find_my_numbers),
    (LeakKind.PHONE, find_phones),
)


def find_spans(strings: pa.Array, kinds: frozenset[LeakKind] = ALL_KINDS, own: OwnIins = ()) -> list[Span]:
    """Returns the place of every leak of the given kinds, in order; spans of different kinds may overlap.

    Args:
        strings: a string, large_string, binary or large_binary array; nulls and slices are fine.
        kinds: what to look for.
        own: the issuer's own IINs; without them no card is known as an own one.
    """
    spans: set[Span] = set()
    for rows in suspects(strings):
        for places, text in readings(strings.take(pa.array(rows))):
            if found := list(_find(text, kinds, own)):
                numbers = rows[places].tolist()
                spans.update(Span(numbers[row], *text.original(row, *ends), kind) for row, *ends, kind in found)
    return sorted(spans)


def readings(strings: pa.Array) -> Iterator[tuple[Positions, Plain]]:
    """Yields rows and their strings as they are spelled, then those in which an escape may tell as they are decoded."""
    yield np.arange(len(strings)), plain(strings)
    view = ByteStrings.from_arrow(strings)
    low = int(view.offsets[0])
    data, offsets = view.data[low : int(view.offsets[-1])], view.offsets - low
    marked = rows_of(telling(data), offsets)
    if len(marked):
        yield marked, plain(strings.take(pa.array(marked)), decoded=True)


def _find(text: Plain, kinds: frozenset[LeakKind], own: OwnIins = ()) -> Iterator[tuple[int, int, int, LeakKind]]:
    if LeakKind.EMAIL in kinds:
        yield from ((*place, LeakKind.EMAIL) for place in find_emails(text))
    if kinds == {LeakKind.EMAIL}:
        return
    groups = digit_groups(text)
    if len(groups.starts):
        if own and LeakKind.OWN_CARD in kinds:
            yield from ((*place, LeakKind.OWN_CARD) for place in find_own_cards(text, groups, own))
        for kind, find in _BY_GROUPS:
            if kind in kinds:
                yield from ((*place, kind) for place in find(text, groups))
