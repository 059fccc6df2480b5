"""IPv4 addresses as people and databases write them, for all rows at once: which rows hold one, and their networks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from masking.kernels.buffers import Bytes, ByteStrings, Flags, Ragged, Rows, gather

_DOTS = 3
_WIDEST_OCTET = 3
_GREATEST_OCTET = 255
_ZERO, _DOT = np.uint8(ord("0")), np.uint8(ord("."))
_HOST = b"/32"
_TEN = 10


def ipv4_networks(strings: ByteStrings, octets: int) -> tuple[Ragged, Flags]:
    """Gives the network of each row that is an IPv4 address, with or without `/32`, and True for these rows.

    An octet has no leading zeros and is at most 255, as in RFC 6943 section 3.1.1's strict form.

    Args:
        strings: rows of any content.
        octets: how many octets stay, 1 … 3; the others become zeros.

    Returns:
        The networks as text (`203.0.113.0/24`), null where the row is no address; and bool (n).
    """
    first = int(strings.offsets[0])
    data, offsets = strings.data[first : int(strings.offsets[-1])], strings.offsets - first
    dots = np.flatnonzero(data == _DOT)
    until = np.searchsorted(dots, offsets)
    likely = np.diff(until) == _DOTS
    if strings.valid is not None:
        likely &= strings.valid
    rows = np.flatnonzero(likely)
    places = dots[until[rows][:, None] + np.arange(_DOTS)]
    starts, ends = offsets[rows], offsets[rows + 1]
    ends = np.where(_ends_with_host(data, starts, ends), ends - len(_HOST), ends)
    bounds = (starts - 1, *places.T, ends)
    written = np.ones(len(rows), np.bool_)
    for before, after in pairwise(bounds):
        written &= _octets(data, before + 1, after)
    rows, starts, kept = rows[written], starts[written], (places[:, octets - 1] - starts + 1)[written]
    return _written(data, len(strings), rows, starts, kept, octets)


def _ends_with_host(data: Bytes, starts: Rows, ends: Rows) -> Flags:
    hosts: Flags = ends - starts > len(_HOST)
    for back, sign in enumerate(reversed(_HOST), start=1):
        hosts &= data[np.maximum(ends - back, 0)] == sign if len(data) else hosts
    return hosts


def _octets(data: Bytes, starts: Rows, ends: Rows) -> Flags:
    """Flags the stretches that are a number from 0 to 255 in its shortest form."""
    widths = ends - starts
    fits = (widths >= 1) & (widths <= _WIDEST_OCTET)
    value = np.zeros(len(widths), np.int64)
    for place in range(_WIDEST_OCTET):
        there = widths > place
        digit = np.where(there, data[np.maximum(ends - 1 - place, 0)] - _ZERO, 0) if len(data) else value
        fits &= digit < _TEN
        value += digit.astype(np.int64) * _TEN**place
    shortest = (widths == 1) | (value >= np.where(widths == _WIDEST_OCTET, _TEN**2, _TEN))
    found: Flags = fits & shortest & (value <= _GREATEST_OCTET)
    return found


def _written(data: Bytes, count: int, rows: Rows, starts: Rows, kept: Rows, octets: int) -> tuple[Ragged, Flags]:
    """Writes what stays of each address and the zeros after it."""
    rest = np.frombuffer(f"{'.'.join('0' * (4 - octets))}/{8 * octets}".encode(), np.uint8)
    lengths, plain = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    lengths[rows], plain[rows] = kept + len(rest), True
    networks = Ragged(lengths, plain)
    for length in np.unique(kept).tolist():
        chosen = kept == length
        text = np.empty((int(chosen.sum()), length + len(rest)), np.uint8)
        text[:, :length], text[:, length:] = gather(data, starts[chosen], length), rest
        networks.place(rows[chosen], text)
    return networks, plain
