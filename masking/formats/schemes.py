"""The schemes that a contract may declare with `format:`, as one literal table: charset, lengths, prefix, check digit.

The narrowest come first: they are proposed in this order. `rate` is how many values of the scheme pass Luhn by chance:
one in ten, unless its own check digit is Luhn's; such a scheme has first digits that no card number has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from masking.formats.checks import (
    Check,
    acquirer,
    corporate,
    gs1,
    isbn10,
    luhn,
    modulo_7,
    retrieval,
    upu,
)

SchemeName = Literal[
    "invoice_number", "jan", "isbn", "issn", "isbn10", "gtin8", "upc", "gtin13", "gtin14", "sscc", "corporate_number",
    "imei", "iccid", "arn", "s10_parcel", "ups_parcel", "iata_ticket", "parcel_number", "rrn", "imeisv", "imsi",
    "amazon_order", "rakuten_order", "dated_number", "epoch_millis", "epoch_micros", "epoch_nanos", "snowflake", "uuid",
    "ulid", "hex", "mac_address", "ip_address", "supply_point", "vin", "lei", "isin", "mastercard_transaction_id",
    "document_number", "terminal_id", "merchant_id", "visa_transaction_id", "aws_account_id", "digits", "code",
]  # fmt: skip

BY_CHANCE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of number.

    Attributes:
        about: what it is, for people.
        pattern: of a whole value; a regular expression that RE2 and Java read.
        check: of its digits, where there is one; values that have another number of digits than `digits` fail it.
        digits: how many digits `check` wants; 0: any.
        rate: the share of values that pass Luhn.
        letters: whether its values have letters, so that a column of digits is not taken for it.
    """

    about: str
    pattern: str
    check: Check | None = None
    digits: int = 0
    rate: float = BY_CHANCE
    letters: bool = False


_YEAR: Final = "(?:19[5-9]|20[0-9])[0-9]"
_DAY: Final = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_IMEI: Final = "(?:01|10|30|33|35|44|45|49|50|51|52|53|54|86|91|98|99)"

SCHEMES: Final[dict[SchemeName, Scheme]] = {
    "invoice_number": Scheme("a qualified invoice issuer's number, T and 13 digits", "T[1-9][0-9]{12}", corporate, 13),
    "jan": Scheme("a JAN code of Japan", "4[59](?:[0-9]{11}|[0-9]{6})", gs1),
    "isbn": Scheme("a book's ISBN", "97[89]-?[0-9](?:-?[0-9]){8}-?[0-9]", gs1, 13),
    "issn": Scheme("a magazine's ISSN as EAN", "977[0-9]{10}", gs1, 13),
    "isbn10": Scheme("a book's ISBN of ten digits", "[0-9](?:-?[0-9]){9}", isbn10, 10),
    "gtin8": Scheme("a short EAN", "[0-9]{8}", gs1, 8),
    "upc": Scheme("an American article's UPC-A", "[0-9]{12}", gs1, 12),
    "gtin13": Scheme("an article's EAN, or a place's GLN", "[0-9]{13}", gs1, 13),
    "gtin14": Scheme("a packing unit's GTIN", "[0-9]{14}", gs1, 14),
    "sscc": Scheme("a shipping unit's SSCC", "(?:00)?[0-9]{18}", gs1),
    "corporate_number": Scheme("a corporate number (法人番号)", "[1-9][0-9]{12}", corporate, 13),
    "imei": Scheme("a mobile device's IMEI", f"{_IMEI}[0-9]{{13}}", luhn, 15, rate=1),
    "iccid": Scheme("a SIM card's ICCID", "89[0-9]{17,18}", luhn, rate=1),
    "arn": Scheme("an acquirer's reference number", "[0-9](?:[ -]?[0-9]){22}", acquirer, 23, rate=1),
    "s10_parcel": Scheme("an international parcel's number", "[A-Z]{2}[0-9]{9}[A-Z]{2}", upu, 9),
    "ups_parcel": Scheme("a UPS parcel's number", "1Z[0-9A-Z]{16}"),
    "iata_ticket": Scheme("an airline ticket's number", "[0-9]{3}-?[0-9]{10,11}", None),
    "parcel_number": Scheme("a parcel's number in Japan", "[0-9]{4}-?[0-9]{4}-?[0-9]{3,4}", modulo_7),
    "rrn": Scheme("a retrieval reference number", "[0-9]{12}", retrieval, 12),
    "imeisv": Scheme("a mobile device's IMEI with software version", f"{_IMEI}[0-9]{{14}}"),
    "imsi": Scheme("a SIM card's subscriber in Japan", "44[01][0-9]{12}"),
    "amazon_order": Scheme("an Amazon order", "[0-9]{3}-[0-9]{7}-[0-9]{7}"),
    "rakuten_order": Scheme("a Rakuten order", f"[0-9]{{6}}-{_YEAR}{_DAY}-[0-9]{{10}}"),
    "dated_number": Scheme("a number that begins with its day", f"{_YEAR}{_DAY}[-_]?[0-9]{{1,16}}"),
    "epoch_millis": Scheme("an instant in milliseconds", "[12][0-9]{12}"),
    "epoch_micros": Scheme("an instant in microseconds", "[12][0-9]{15}"),
    "epoch_nanos": Scheme("an instant in nanoseconds", "[12][0-9]{18}"),
    "snowflake": Scheme("a snowflake id, of 15 to 19 digits", "[1-9][0-9]{14,17}|[1-8][0-9]{18}|9[0-2][0-9]{17}"),
    "uuid": Scheme(
        "a UUID, with or without hyphens", "[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", letters=True
    ),
    "ulid": Scheme("a ULID", "[0-7][0-9A-HJKMNP-TV-Z]{25}", letters=True),
    "hex": Scheme(
        "hexadecimal digits: a hash, an object id, a cryptogram", "(?:0x)?(?:[0-9a-fA-F]{2}){4,64}", letters=True
    ),
    "mac_address": Scheme("a network card's address", "[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}"),
    "ip_address": Scheme("an IPv6 address", "[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}"),
    "supply_point": Scheme(
        "an electricity supply point (供給地点特定番号)", "0[0-9]-?[0-9]{4}-?[0-9]{4}-?[0-9]{4}-?[0-9]{4}-?[0-9]{4}"
    ),
    "vin": Scheme("a vehicle's identification number", "[0-9A-HJ-NPR-Z]{17}", letters=True),
    "lei": Scheme("a legal entity's LEI", "[0-9A-Z]{18}[0-9]{2}", letters=True),
    "isin": Scheme("a security's ISIN", "[A-Z]{2}[0-9A-Z]{9}[0-9]"),
    "mastercard_transaction_id": Scheme(
        "a Banknet reference, with or without its day", "[0-9A-Z]{9}(?:[0-9]{4})?", letters=True
    ),
    "document_number": Scheme("a document's number of ten digits, filled up with zeros", "0[0-9]{9}"),
    "terminal_id": Scheme("a card terminal's id", "[0-9A-Z]{8}|[0-9]{13}"),
    "merchant_id": Scheme("a card acceptor's id (ISO 8583, field 42)", "[0-9A-Z]{15}|[0-9]{10,14}"),
    "visa_transaction_id": Scheme("a Visa transaction's id", "[0-9]{15}"),
    "aws_account_id": Scheme("an AWS account", "[0-9]{12}"),
    "digits": Scheme("a number that nothing else describes", "[0-9]{6,40}"),
    "code": Scheme(
        "a code of letters, digits and hyphens", "[0-9A-Za-z](?:[0-9A-Za-z]|[-_./ #][0-9A-Za-z]){3,63}", letters=True
    ),
}
