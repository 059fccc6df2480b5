"""The policy as one literal table: what a column's value is, which strategies it may have, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnClass(StrEnum):
    """What a column's value is, as its contract declares it."""

    SENSITIVE_AUTHENTICATION = "sensitive_authentication"
    PAN = "pan"
    NATIONAL_ID = "national_id"
    PERSON_NAME = "person_name"
    CARD_EXPIRY = "card_expiry"
    SERVICE_CODE = "service_code"
    BIRTH_DATE = "birth_date"
    ADDRESS = "address"
    POSTAL_CODE = "postal_code"
    PHONE = "phone"
    EMAIL = "email"
    ACCOUNT_NUMBER = "account_number"
    FREE_TEXT = "free_text"
    IP_ADDRESS = "ip_address"
    IDENTIFIER = "identifier"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ClassPolicy:
    """What becomes of one class of values.

    Attributes:
        about: what values of the class are.
        allowed: the strategies a contract may choose; None allows every strategy.
        rule: the id of the rule that refuses the others.
        clause: the requirement behind the refusal.
        todo: what to write into the contract instead.
    """

    about: str
    allowed: frozenset[str] | None
    rule: str
    clause: str
    todo: str


_GONE = frozenset({"drop", "null", "redact"})
_TOKENS = frozenset({"tokenize", "pseudonymize"})
_CARDHOLDER = "PCI DSS v4.0.1 3.2.1"
_PERSONAL = "APPI (個人情報保護法) art. 41; Enforcement Rules art. 31"
_MY_NUMBER_ACT = "My Number Act (番号法) art. 19, 20"

POLICY: dict[ColumnClass, ClassPolicy] = {
    ColumnClass.SENSITIVE_AUTHENTICATION: ClassPolicy(
        "CVV2, PIN, PIN block, magnetic stripe or chip track data",
        frozenset({"drop"}),
        "KG001",
        "PCI DSS v4.0.1 3.3.1, 3.3.3",
        "Write `mask: {strategy: drop}`; analytics is no issuing need.",
    ),
    ColumnClass.PAN: ClassPolicy(
        "a card number",
        frozenset({"drop", "tokenize", "fpe", "pseudonymize", "truncate_pan"}),
        "KG002",
        "PCI DSS v4.0.1 3.5.1, 3.5.1.1",
        "Use fpe or tokenize for joins, pseudonymize where nobody needs it back, truncate_pan for display, or drop.",
    ),
    ColumnClass.NATIONAL_ID: ClassPolicy(
        "My Number (個人番号)",
        frozenset({"drop"}),
        "KG003",
        _MY_NUMBER_ACT,
        "Write `mask: {strategy: drop}`; the law allows no use outside social security, tax and disaster response.",
    ),
    ColumnClass.PERSON_NAME: ClassPolicy(
        "a person's name in any script, card holder names too",
        _GONE | _TOKENS,
        "KG004",
        f"{_CARDHOLDER}; {_PERSONAL}",
        "Drop it; tokenize or pseudonymize it where equal names must meet.",
    ),
    ColumnClass.CARD_EXPIRY: ClassPolicy(
        "a card's expiration date",
        _GONE | _TOKENS | {"generalize_date"},
        "KG004",
        _CARDHOLDER,
        "Drop it, or generalize_date to the year.",
    ),
    ColumnClass.SERVICE_CODE: ClassPolicy(
        "a card's service code",
        _GONE,
        "KG004",
        _CARDHOLDER,
        "Drop it.",
    ),
    ColumnClass.BIRTH_DATE: ClassPolicy(
        "a date of birth",
        _GONE | _TOKENS | {"generalize_date", "shift_date"},
        "KG004",
        _PERSONAL,
        "Use generalize_date with `to: age_band` or `to: year`.",
    ),
    ColumnClass.ADDRESS: ClassPolicy(
        "a postal address or a part of one below the prefecture",
        _GONE | _TOKENS | {"prefecture"},
        "KG004",
        _PERSONAL,
        "Use prefecture, or drop it.",
    ),
    ColumnClass.POSTAL_CODE: ClassPolicy(
        "a postal code (〒)",
        _GONE | _TOKENS | {"postal_area"},
        "KG004",
        _PERSONAL,
        "Use postal_area, or drop it.",
    ),
    ColumnClass.PHONE: ClassPolicy(
        "a phone number",
        _GONE | _TOKENS | {"partial"},
        "KG004",
        _PERSONAL,
        "Drop it; tokenize it (`normalize: [jp_phone]`) where equal numbers must meet.",
    ),
    ColumnClass.EMAIL: ClassPolicy(
        "an e-mail address",
        _GONE | _TOKENS | {"email_domain"},
        "KG004",
        _PERSONAL,
        "Use email_domain, or tokenize it (`normalize: [email]`).",
    ),
    ColumnClass.ACCOUNT_NUMBER: ClassPolicy(
        "a bank account number",
        _GONE | _TOKENS | {"fpe", "partial"},
        "KG004",
        _PERSONAL,
        "Drop it, tokenize it, or show the last digits with partial.",
    ),
    ColumnClass.FREE_TEXT: ClassPolicy(
        "text or documents that people or other systems fill at will",
        _GONE | {"scrub_text", "json_fields"},
        "KG005",
        f"PCI DSS v4.0.1 3.4.1, 3.5.1; {_PERSONAL}",
        "Use scrub_text, json_fields for JSON, or drop: people type card numbers into free text.",
    ),
    ColumnClass.IP_ADDRESS: ClassPolicy(
        "the network address of a person's device",
        _GONE | _TOKENS | {"ip_prefix"},
        "KG004",
        _PERSONAL,
        "Use ip_prefix, or drop it.",
    ),
    ColumnClass.IDENTIFIER: ClassPolicy(
        "a number or code that names one person, card, application or device",
        _GONE | _TOKENS | {"fpe"},
        "KG004",
        _PERSONAL,
        "Use tokenize under the domain that the columns it joins have.",
    ),
    ColumnClass.NONE: ClassPolicy(
        "nothing about a person or a card: codes, amounts, times, names of things",
        None,
        "KG004",
        "",
        "",
    ),
}
