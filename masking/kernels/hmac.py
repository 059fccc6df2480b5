"""HMAC-SHA-256 over columns (RFC 2104, FIPS 198-1)."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from masking.kernels.buffers import Bytes, ByteStrings

DIGEST = 32


def hmac_sha256(key: bytes, strings: ByteStrings) -> Bytes:
    """Gives the 32-byte tag of each row: uint8 (n, 32); rows that are null get zeros.

    This is one library call a row, so give it distinct values where a column repeats itself.
    """
    # The key fills a block each of the inner and the outer hash: absorb it once, and start every row from a copy.
    start_row = HMAC(key, hashes.SHA256()).copy
    tags = np.zeros((len(strings), DIGEST), np.uint8)
    for rows, matrix in strings.groups():
        digests = []
        for row in _each(matrix):
            mac = start_row()
            mac.update(row)
            digests.append(mac.finalize())
        tags[rows] = np.frombuffer(b"".join(digests), np.uint8).reshape(len(rows), DIGEST)
    return tags


def _each(matrix: Bytes) -> list[bytes]:
    """Gives each row as bytes."""
    width, text = matrix.shape[1], matrix.tobytes()
    return [text[place * width : (place + 1) * width] for place in range(len(matrix))]
