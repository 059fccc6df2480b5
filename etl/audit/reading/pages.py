"""The pages of a column chunk, as their own headers tell: whether all rows name values of its dictionary.

Apache Parquet, `PageHeader` of parquet.thrift, in Thrift's compact protocol. A header that says more than is read here
is no dictionary's: whoever asks then reads the column plainly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_Fields = dict[int, Any]
"""A struct's fields by number: whole numbers, bytes, truth values, and structs."""

_TRUE, _FALSE, _BYTE, _INTEGERS, _BINARY, _STRUCT = 1, 2, 3, (4, 5, 6), 8, 12
_TYPE, _COMPRESSED_SIZE, _OF_DATA, _OF_DICTIONARY, _OF_DATA_V2 = 1, 3, 5, 7, 8
_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2 = 0, 2, 3
_VALUES, _ENCODING, _ENCODING_V2 = 1, 2, 4
_BY_DICTIONARY: Final = (2, 8)
"""PLAIN_DICTIONARY, which is deprecated, and RLE_DICTIONARY."""
_GOES_ON, _SEVEN_BITS, _MOST_BITS = 0x80, 0x7F, 63
_FOUR_BITS = 0x0F


class _UnreadHeader(Exception):
    """A page header says what is not read here."""


def dictionary_size(chunk: bytes) -> int | None:
    """Returns how many values the dictionary of a column chunk has; None where rows do not all go by one."""
    try:
        first, *others = _headers(chunk)
        if first[_TYPE] != _DICTIONARY_PAGE or not others or not all(map(_goes_by_dictionary, others)):
            return None
        return int(first[_OF_DICTIONARY][_VALUES])
    except (_UnreadHeader, IndexError, KeyError, TypeError, ValueError):
        return None


def _goes_by_dictionary(header: _Fields) -> bool:
    """Tells whether the rows of a page name values of the dictionary."""
    if header[_TYPE] == _DATA_PAGE:
        return header[_OF_DATA][_ENCODING] in _BY_DICTIONARY
    return header[_TYPE] == _DATA_PAGE_V2 and header[_OF_DATA_V2][_ENCODING_V2] in _BY_DICTIONARY


def _headers(chunk: bytes) -> Iterator[_Fields]:
    place = 0
    while place < len(chunk):
        header, place = _struct(chunk, place)
        if header[_COMPRESSED_SIZE] < 0:
            raise _UnreadHeader
        place += header[_COMPRESSED_SIZE]
        yield header
    if place > len(chunk):
        raise _UnreadHeader


def _struct(data: bytes, place: int) -> tuple[_Fields, int]:
    """Returns a struct that begins at a place, and where it ends."""
    fields: _Fields = {}
    number = 0
    while head := data[place]:
        place += 1
        if head >> 4:
            number += head >> 4
        else:
            number, place = _integer(data, place)
        fields[number], place = _value(data, place, head & _FOUR_BITS)
    return fields, place + 1


def _value(data: bytes, place: int, kind: int) -> tuple[Any, int]:
    if kind in _INTEGERS:
        return _integer(data, place)
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, place
    if kind == _BYTE:
        return data[place], place + 1
    if kind == _STRUCT:
        return _struct(data, place)
    if kind == _BINARY:
        length, place = _unsigned(data, place)
        return data[place : place + length], place + length
    raise _UnreadHeader


def _integer(data: bytes, place: int) -> tuple[int, int]:
    """Returns a signed number (zigzag), and where it ends."""
    number, place = _unsigned(data, place)
    return (number >> 1) ^ -(number & 1), place


def _unsigned(data: bytes, place: int) -> tuple[int, int]:
    """Returns a number of seven bits a byte, the lowest first, and where it ends."""
    number = 0
    for shift in range(0, _MOST_BITS + 1, 7):
        byte = data[place]
        place += 1
        number |= (byte & _SEVEN_BITS) << shift
        if byte < _GOES_ON:
            return number, place
    raise _UnreadHeader
