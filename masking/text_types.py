"""Which Arrow types hold text and which raw bytes."""

from __future__ import annotations

import pyarrow as pa


def is_text(source: pa.DataType) -> bool:
    """Tells whether values of this type are UTF-8 text."""
    return bool(pa.types.is_string(source) or pa.types.is_large_string(source))


def is_bytes(source: pa.DataType) -> bool:
    """Tells whether values of this type are raw bytes."""
    return bool(pa.types.is_binary(source) or pa.types.is_large_binary(source) or pa.types.is_fixed_size_binary(source))
