"""Knows which column names promise personal or card data."""

from __future__ import annotations

import re

from masking.policy.classes import ColumnClass

_ENDINGS: tuple[tuple[ColumnClass, str], ...] = (
    (ColumnClass.SENSITIVE_AUTHENTICATION, "cvv2?|cvc2?|csc|pin|pin_block|track[12]?|track_data|magstripe"),
    (ColumnClass.PAN, "pan|card_number|card_no|primary_account_number"),
    (ColumnClass.NATIONAL_ID, "my_?number|individual_number|kojin_bango"),
    (ColumnClass.EMAIL, "e?mail|e?mail_address"),
    (ColumnClass.IP_ADDRESS, "ip|ip_address|ip_addr"),
    (ColumnClass.PERSON_NAME, "(?:holder|person|first|last|family|given|full|maiden)_name|name_kana|kana_name|surname"),
    (ColumnClass.BIRTH_DATE, "birth_?date|date_of_birth|birthday|dob"),
    (ColumnClass.POSTAL_CODE, "postal_code|post_?code|zip|zip_?code"),
    (ColumnClass.ADDRESS, "address|address_line_?[0-9]?|street"),
    (ColumnClass.PHONE, "phone|phone_number|tel|mobile_number"),
    (ColumnClass.ACCOUNT_NUMBER, "account_number|account_no|iban"),
    (ColumnClass.CARD_EXPIRY, "card_expiry|expiry|expiration_date"),
    (ColumnClass.SERVICE_CODE, "service_code"),
    (ColumnClass.FREE_TEXT, "memo|notes?|comments?|remarks?|free_text"),
)
_PATTERNS = tuple((promised, re.compile(rf"(?:^|_)(?:{endings})$")) for promised, endings in _ENDINGS)


def promised_class(column: str) -> ColumnClass | None:
    """Returns the class that a column's name promises by its last words, as `member_email` does; None if none."""
    return next((promised for promised, pattern in _PATTERNS if pattern.search(column)), None)
