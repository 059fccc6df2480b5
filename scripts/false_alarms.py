"""Prints how often the leak gate stops random values of 60 kinds, without and with the format that declares them.

Every kind is everyday data of an issuer or a shop that has the digits of a card number, a My Number or a phone. With
its declared format no table stops; without it, the message must name a format that fits.
"""

from __future__ import annotations

import argparse
import random
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from masking.formats import NumberFormat, PatternFormat  # noqa: E402  needs the path above
from masking.leaks import Allowed, Leak, find_leaks  # noqa: E402  the same

VALUES: Final = 100_000
OWN_IINS: Final = ("411111", "35280000")
Make = Callable[[random.Random], str]


@dataclass(frozen=True)
class Kind:
    """One kind of values: how a random one is made, and how a contract declares it."""

    make: Make
    number: NumberFormat


@dataclass(frozen=True)
class Alarms:
    """What the gate says of a column of one kind, without its format and with it."""

    undeclared: tuple[Leak, ...]
    declared: tuple[Leak, ...]


def main() -> int:
    """Prints the table; ends with 1 when a declared format stops a table or a message names none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--values", type=int, default=VALUES, help="values of each kind (default 100,000)")
    given = parser.parse_args()
    failed = 0
    print(f"{given.values:,} values a kind            undeclared: stopped by       named formats          declared")
    for name, kind in KINDS.items():
        found = alarms(kind, given.values)
        stopped = ", ".join(f"{leak.count:,} {leak.kind}" for leak in found.undeclared) or "-"
        named = ", ".join(found.undeclared[0].fits) if found.undeclared else "-"
        wrong = bool(found.declared) or (bool(found.undeclared) and not named)
        failed += wrong
        verdict = ", ".join(f"{leak.count:,} {leak.kind}" for leak in found.declared) or "passes"
        print(f"{name:26} {stopped:30} {named:44} {verdict}{'   WRONG' if wrong else ''}")
    print(f"{len(KINDS)} kinds, {failed} wrong")
    return 1 if failed else 0


def alarms(kind: Kind, values: int, seed: int = 20231101) -> Alarms:
    """Returns what the gate says of random values of a kind, as one batch each."""
    bits = random.Random(seed)  # noqa: S311 - sample values, no secrets
    batch = pa.record_batch({"number": pa.array([kind.make(bits) for _ in range(values)])})
    declared = find_leaks(batch, {"number": Allowed(number=kind.number)}, OWN_IINS)
    return Alarms(find_leaks(batch, {}, OWN_IINS), declared)


def digits(count: int, prefix: str = "") -> Make:
    """Returns what makes numbers of so many digits."""
    return lambda bits: prefix + f"{bits.randrange(10 ** (count - len(prefix))):0{count - len(prefix)}d}"


def letters(count: int, alphabet: str) -> Make:
    """Returns what makes codes of so many signs."""
    return lambda bits: "".join(bits.choices(alphabet, k=count))


def checked(make: Make, check: Callable[[str], str]) -> Make:
    """Returns what makes numbers with their check digit behind."""
    return lambda bits: (body := make(bits)) + check(body)


def grouped(make: Make, *sizes: int, by: str = "-") -> Make:
    """Returns what makes the same numbers in groups."""

    def written(bits: random.Random) -> str:
        number, parts, at = make(bits), [], 0
        for size in sizes:
            parts.append(number[at : at + size])
            at += size
        return by.join(parts)

    return written


def luhn(body: str) -> str:
    """Returns Luhn's check digit."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body)))
    return str(-sum(value - 9 * (value > 9) for value in doubled) % 10)  # noqa: PLR2004 - two digits


def gs1(body: str) -> str:
    """Returns the check digit of articles."""
    return str(-sum(int(digit) * (3 - 2 * (place % 2)) for place, digit in enumerate(reversed(body))) % 10)


def seven(body: str) -> str:
    """Returns the rest by seven."""
    return str(int(body) % 7)


def isbn10(body: str) -> str:
    """Returns the check digit of books; only such that are digits are made."""
    rest = -sum(int(digit) * (10 - place) for place, digit in enumerate(body)) % 11
    return str(rest) if rest < 10 else ""  # noqa: PLR2004 - X is no digit


def corporate(bits: random.Random) -> str:
    """Returns a corporate number."""
    body = f"{bits.randrange(10**12):012d}"
    total = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(body)))
    return f"{9 - total % 9}{body}"


def upu(bits: random.Random) -> str:
    """Returns an international parcel's number."""
    body = f"{bits.randrange(10**8):08d}"
    weights = (8, 6, 4, 2, 3, 5, 9, 7)
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
    return f"E{bits.choice('ABLM')}{body}{ {10: 0, 11: 5}.get(rest, rest) }JP"


def moment(bits: random.Random) -> datetime:
    """Returns an instant between 2020 and 2050."""
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=bits.randrange(10**15))


def rrn(bits: random.Random) -> str:
    """Returns a retrieval reference number."""
    return f"{bits.randrange(10)}{bits.randrange(1, 367):03d}{bits.randrange(24):02d}{bits.randrange(10**6):06d}"


def arn(bits: random.Random) -> str:
    """Returns an acquirer's reference number."""
    body = f"7{bits.randrange(10**6):06d}{bits.randrange(10)}{bits.randrange(1, 367):03d}{bits.randrange(10**11):011d}"
    return body + luhn(body)


def isbn_without_x(bits: random.Random) -> str:
    """Returns a book's number of ten digits."""
    while True:
        body = f"{bits.randrange(10**9):09d}"
        if isbn10(body):
            return body + isbn10(body)


HEX: Final = "0123456789abcdef"
UPPER: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE_62: Final = UPPER + "abcdefghijklmnopqrstuvwxyz"
_OURS: Final = "numbered by our own system"

KINDS: Final[dict[str, Kind]] = {
    "JAN of 13, 45": Kind(checked(digits(12, "45"), gs1), "jan"),
    "JAN of 13, 49": Kind(checked(digits(12, "49"), gs1), "jan"),
    "JAN of 8": Kind(checked(digits(7, "49"), gs1), "jan"),
    "EAN of 13": Kind(checked(digits(12), gs1), "gtin13"),
    "EAN of 8": Kind(checked(digits(7), gs1), "gtin8"),
    "UPC-A": Kind(checked(digits(11), gs1), "upc"),
    "GTIN of 14": Kind(checked(digits(13), gs1), "gtin14"),
    "SSCC": Kind(checked(digits(17), gs1), "sscc"),
    "GLN": Kind(checked(digits(12, "49"), gs1), "gtin13"),
    "ISBN of 13": Kind(checked(digits(12, "978"), gs1), "isbn"),
    "ISBN with hyphens": Kind(grouped(checked(digits(12, "978"), gs1), 3, 1, 4, 4, 1), "isbn"),
    "ISBN of 10": Kind(isbn_without_x, "isbn10"),
    "ISSN as EAN": Kind(checked(digits(12, "977"), gs1), "issn"),
    "corporate number": Kind(corporate, "corporate_number"),
    "invoice number": Kind(lambda bits: f"T{corporate(bits)}", "invoice_number"),
    "RRN": Kind(rrn, "rrn"),
    "ARN": Kind(arn, "arn"),
    "ARN in groups": Kind(grouped(arn, 1, 6, 4, 11, 1, by=" "), "arn"),
    "IMEI": Kind(checked(digits(14, "35"), luhn), "imei"),
    "IMEI of China": Kind(checked(digits(14, "86"), luhn), "imei"),
    "IMEISV": Kind(digits(16, "35"), "imeisv"),
    "ICCID": Kind(checked(digits(18, "8981"), luhn), "iccid"),
    "IMSI": Kind(digits(15, "440"), "imsi"),
    "merchant id, digits": Kind(digits(15), "merchant_id"),
    "merchant id, letters": Kind(letters(15, UPPER), "merchant_id"),
    "terminal id of CCT": Kind(digits(13), "terminal_id"),
    "terminal id of 8": Kind(digits(8), "terminal_id"),
    "Visa transaction id": Kind(digits(15), "visa_transaction_id"),
    "Banknet reference": Kind(lambda bits: letters(3, UPPER)(bits) + digits(6)(bits), "mastercard_transaction_id"),
    "Banknet with day": Kind(letters(9, UPPER), "mastercard_transaction_id"),
    "Amazon order": Kind(grouped(digits(17), 3, 7, 7), "amazon_order"),
    "Rakuten order": Kind(
        lambda bits: f"{bits.randrange(10**6):06d}-{moment(bits):%Y%m%d}-{bits.randrange(10**10):010d}", "rakuten_order"
    ),
    "shop order of 16": Kind(digits(16), "digits"),
    "shop order with prefix": Kind(digits(16, "22"), PatternFormat(pattern="22[0-9]{14}", why=_OURS)),
    "shop order of 11": Kind(digits(11), "digits"),
    "parcel of 12": Kind(checked(digits(11), seven), "parcel_number"),
    "parcel of 12 in fours": Kind(grouped(checked(digits(11), seven), 4, 4, 4), "parcel_number"),
    "parcel of 11 in groups": Kind(grouped(checked(digits(10), seven), 4, 4, 3), "parcel_number"),
    "international parcel": Kind(upu, "s10_parcel"),
    "UPS parcel": Kind(lambda bits: "1Z" + letters(16, UPPER)(bits), "ups_parcel"),
    "airline ticket": Kind(digits(13, "205"), "iata_ticket"),
    "snowflake of 19": Kind(lambda bits: str(bits.randrange(10**18, 2**63)), "snowflake"),
    "snowflake of 18": Kind(digits(18, "3"), "snowflake"),
    "snowflake of 17": Kind(digits(17, "4"), "snowflake"),
    "ObjectId": Kind(letters(24, HEX), "hex"),
    "hex of 16": Kind(letters(16, HEX), "hex"),
    "hex of 20": Kind(letters(20, HEX.upper()), "hex"),
    "MD5": Kind(letters(32, HEX), "hex"),
    "SHA-1": Kind(letters(40, HEX), "hex"),
    "UUID": Kind(lambda bits: str(uuid.UUID(int=bits.getrandbits(128))), "uuid"),
    "UUID without hyphens": Kind(lambda bits: uuid.UUID(int=bits.getrandbits(128)).hex, "uuid"),
    "ULID": Kind(lambda bits: "0" + letters(25, CROCKFORD)(bits), "ulid"),
    "nanoid": Kind(letters(21, BASE_62), "code"),
    "epoch milliseconds": Kind(lambda bits: str(int(moment(bits).timestamp() * 1e3)), "epoch_millis"),
    "epoch microseconds": Kind(lambda bits: str(int(moment(bits).timestamp() * 1e6)), "epoch_micros"),
    "dated number of 20": Kind(lambda bits: f"{moment(bits):%Y%m%d%H%M%S}{bits.randrange(10**6):06d}", "dated_number"),
    "supply point": Kind(digits(22, "03"), "supply_point"),
    "supply point in groups": Kind(grouped(digits(22, "03"), 2, 4, 4, 4, 4, 4), "supply_point"),
    "document of 10": Kind(digits(10, "0"), "document_number"),
    "AWS account": Kind(digits(12), "aws_account_id"),
    "VIN": Kind(letters(17, "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"), "vin"),
    "LEI": Kind(lambda bits: letters(18, UPPER)(bits) + digits(2)(bits), "lei"),
    "MAC address": Kind(grouped(letters(12, HEX), 2, 2, 2, 2, 2, 2, by=":"), "mac_address"),
}

if __name__ == "__main__":
    sys.exit(main())
