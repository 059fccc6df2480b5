"""Measures the masking kernels on one core, Arrow column in and Arrow column out, beside their peers in the same run.

Every figure is the best of several runs in values per second of CPU time: on a quiet machine that is the clock's, and
on a shared one it does not count what others do. Peers work a value at a time, so they get a sample. Written to
.local/bench/masking.json.
"""

from __future__ import annotations

import argparse
import hmac
import json
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from masking.kernels.buffers import Bytes, ByteStrings, assemble, hex_strings  # noqa: E402  needs the path above
from masking.kernels.cmac import cmac  # noqa: E402  the same
from masking.kernels.ff1 import FF1  # noqa: E402  the same
from masking.kernels.hmac import hmac_sha256  # noqa: E402  the same
from masking.kernels.siv import siv_tokens  # noqa: E402  the same
from masking.keyring import Keyring  # noqa: E402  the same
from masking.leaks import count_leaks  # noqa: E402  the same
from masking.strategies.base import MaskContext  # noqa: E402  the same
from masking.strategies.truncate_pan import TruncatePan  # noqa: E402  the same

OUTPUT: Final = ROOT / ".local" / "bench" / "masking.json"
SAMPLE: Final = 20_000
TARGETS: Final = {
    "ff1_encrypt": 4.0,
    "ff1_decrypt": 4.0,
    "aes_siv_16": 6.0,
    "aes_siv_mixed": 3.0,
    "cmac_16": 6.0,
    "truncate_pan": 8.0,
    "leak_scan": 10.0,
    "hmac_distinct": 1.2,
}
BESIDE: Final = {
    "fastfpe": "ff1_encrypt",
    "ff3": "ff1_encrypt",
    "pyffx": "ff1_encrypt",
    "cryptography.AESSIV": "aes_siv_16",
    "hmac.digest": "hmac_distinct",
    "presidio-anonymizer": "hmac_distinct",
}
KEY: Final = bytes(range(64))
DOMAIN: Final = b"card"
ZERO: Final = np.uint8(ord("0"))

Work = Callable[[], object]
Figures = dict[str, float]
Each = Callable[[str], object]


def main() -> int:
    """Measures, prints and writes the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="values of a column (default 1,000,000)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, of which the best counts (default 5)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="file for the figures (default .local/bench/…)")
    given = parser.parse_args()
    pa.set_cpu_count(1)
    digits = sixteen_digits(given.rows)
    ours = {name: best(work, given.rows, given.runs) for name, work in kernels(digits, given.rows).items()}
    sample = digits.slice(0, SAMPLE).to_pylist()
    peers = {}
    for name, make in PEERS.items():
        try:
            each = make()
        except ImportError:
            print(f"{name} is not installed here and was left out.")
            continue
        peers[name] = best(partial(one_by_one, each, sample), len(sample), min(given.runs, 3))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps({**ours, "peers": peers}, indent=2) + "\n", encoding="utf-8")
    show(ours, peers, given.rows)
    return 0


def best(work: Work, values: int, runs: int) -> float:
    """Returns the values per second of CPU time, all threads together, of the quickest run."""
    seconds = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return values / min(seconds)


def one_by_one(each: Each, values: list[str]) -> None:
    """Gives every value to a peer."""
    for value in values:
        each(value)


def kernels(digits: pa.StringArray, rows: int) -> dict[str, Work]:
    """Returns what is measured of ours, by name."""
    mails, mixed, ff1 = emails(rows), twenty_characters(rows), FF1(KEY[:32], 10, DOMAIN)
    masked = ff1_column(ff1.encrypt, digits)
    given = MaskContext(Keyring.create("2023-08-31T00:00:00+09:00"), date(2023, 8, 31))
    return {
        "ff1_encrypt": lambda: ff1_column(ff1.encrypt, digits),
        "ff1_decrypt": lambda: ff1_column(ff1.decrypt, masked),
        "aes_siv_16": lambda: siv_tokens(KEY, ByteStrings.from_arrow(digits), DOMAIN),
        "aes_siv_mixed": lambda: siv_tokens(KEY, ByteStrings.from_arrow(mails), DOMAIN),
        "cmac_16": lambda: hex_strings(cmac(KEY[:32], ByteStrings.from_arrow(digits)), b"k1_"),
        "truncate_pan": lambda: TruncatePan().mask(digits, given),
        "leak_scan": lambda: count_leaks(mixed),
        "hmac_distinct": lambda: hmac_sha256(KEY[:32], ByteStrings.from_arrow(digits)),
    }


def ff1_column(change: Callable[[Bytes], Bytes], column: pa.StringArray) -> pa.StringArray:
    """Enciphers or deciphers a column of digits."""
    groups = ByteStrings.from_arrow(column).groups()
    return assemble(len(column), ((rows, change(text - ZERO) + ZERO) for rows, text in groups))


def sixteen_digits(rows: int) -> pa.StringArray:
    """Returns distinct values of 16 digits."""
    numbers = np.random.default_rng(1).permutation(rows).astype(np.int64) * 982_451_653 + 10**15
    return pa.array(numbers).cast(pa.string())


def emails(rows: int) -> pa.StringArray:
    """Returns e-mail addresses of 17 to 39 characters."""
    random = np.random.default_rng(2)
    names, hosts = random.integers(10, 10**9, rows), random.integers(1, 15, rows)
    return pa.array(
        [f"user{name}@{'x' * host}.co.jp" for name, host in zip(names.tolist(), hosts.tolist(), strict=True)]
    )


def twenty_characters(rows: int) -> pa.StringArray:
    """Returns text of 20 characters as it stands in columns that are kept: codes with some digits, no card number."""
    numbers = np.random.default_rng(3).integers(10**8, 10**9, rows)
    return pa.array([f"order {number} paid" for number in numbers.tolist()])


def fastfpe() -> Each:
    """FF1 in Rust, a value at a time."""
    from fastfpe import ff1  # noqa: PLC0415  a peer may be missing

    key, tweak = KEY[:32].hex(), DOMAIN.hex()
    return lambda value: ff1.encrypt(key, tweak, "0123456789", value)


def ff3() -> Each:
    """FF3-1 in Python."""
    from ff3 import FF3Cipher  # noqa: PLC0415  a peer may be missing

    return FF3Cipher(KEY[:32].hex(), "00" * 7).encrypt  # type: ignore[no-any-return]  # the peer has no types


def pyffx() -> Each:
    """FFX in Python."""
    from pyffx import String  # noqa: PLC0415  a peer may be missing

    return String(KEY[:32], alphabet="0123456789", length=16).encrypt  # type: ignore[no-any-return]  # the same


def aessiv() -> Each:
    """AES-SIV of the cryptography library, with the token's text."""
    siv, associated = AESSIV(KEY), [DOMAIN]
    return lambda value: "k1_" + siv.encrypt(value.encode(), associated).hex()


def hmac_digest() -> Each:
    """HMAC-SHA-256 of the standard library."""
    return lambda value: hmac.digest(KEY[:32], value.encode(), "sha256")


def presidio() -> Each:
    """The salted SHA-256 operator of presidio-anonymizer."""
    from presidio_anonymizer.operators import Hash  # noqa: PLC0415  a peer may be missing

    operator, parameters = Hash(), {"hash_type": "sha256", "salt": KEY[:32]}
    return lambda value: operator.operate(value, parameters)


PEERS: Final[dict[str, Callable[[], Each]]] = {
    "fastfpe": fastfpe,
    "ff3": ff3,
    "pyffx": pyffx,
    "cryptography.AESSIV": aessiv,
    "hmac.digest": hmac_digest,
    "presidio-anonymizer": presidio,
}


def show(ours: Figures, peers: Figures, rows: int) -> None:
    """Prints the figures with their targets, and the peers with our multiple of each."""
    print(f"{rows:,} values, one core, Arrow in and out; million values a second")
    for name, figure in ours.items():
        print(
            f"  {name:20} {figure / 1e6:8.2f}   target {TARGETS[name]:5.1f}   {figure / 1e6 / TARGETS[name]:5.2f} of it"
        )
    for name, figure in peers.items():
        print(f"  {name:20} {figure / 1e6:8.3f}   {BESIDE[name]} is {ours[BESIDE[name]] / figure:,.1f} times as fast")


if __name__ == "__main__":
    sys.exit(main())
