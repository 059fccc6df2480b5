"""My Number, phones, e-mail addresses and track data are found; their lookalikes are not."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.leaks import LeakKind, count_leaks

FULL_WIDTH = str.maketrans("0123456789-+@", "０１２３４５６７８９－＋＠")


def kinds(text: str) -> set[LeakKind]:
    """Returns what is found in one text."""
    return set(count_leaks(pa.array([text])))


def my_number(eleven: str) -> str:
    """Appends the check digit as the ordinance words it: from the right, weights 2 to 7, then 2 to 6."""
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(eleven), start=1))
    rest = total % 11
    return eleven + str(0 if rest <= 1 else 11 - rest)


@given(
    st.text("0123456789", min_size=11, max_size=11).filter(
        lambda eleven: eleven.strip("0") and eleven[:2] not in {"19", "20"}
    )
)
def test_my_number_is_found_plain_and_in_fours(eleven: str) -> None:
    """A My Number is found plain, in fours, full-width and in a text; with another check digit it is none."""
    number = my_number(eleven)
    in_fours = f"{number[:4]}-{number[4:8]}-{number[8:]}"
    for written in (number, in_fours, in_fours.replace("-", " "), in_fours.translate(FULL_WIDTH), f"番号{number}です"):
        assert LeakKind.MY_NUMBER in kinds(written)
    other = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert LeakKind.MY_NUMBER not in kinds(other)


@pytest.mark.parametrize(
    "text",
    [
        "000000000000",
        "202308311045",
        "9123456789018",
        "1234567890189",
        "5234-1234-5678-9018",
        "1234-5678-9018-1234",
        "12-3456-789018",
        "550e8400-e29b-41d4-a716-123456789018",
        "0.123456789018",
    ],
)
def test_what_is_no_my_number_is_left_alone(text: str) -> None:
    """Zeros, minutes, longer numbers, card tokens in fours, UUIDs and fractions are no My Numbers."""
    assert LeakKind.MY_NUMBER not in kinds(text)


@pytest.mark.parametrize(
    "phone",
    [
        "090-1234-5678",
        "080-1234-5678",
        "070-1234-5678",
        "050-1234-5678",
        "020-1234-5678",
        "09012345678",
        "090 1234 5678",
        "090.1234.5678",
        "090-12345678",
        "03-1234-5678",
        "03(1234)5678",
        "(03)1234-5678",
        "(03) 1234-5678",
        "0312345678",
        "045-123-4567",
        "0466-12-3456",
        "01267-1-2345",
        "0120-123-456",
        "0800-123-4567",
        "0570-012-345",
        "+81-90-1234-5678",
        "+81 90 1234 5678",
        "+819012345678",
        "+81 (0)90-1234-5678",
        "+81 3 1234 5678",
        "+81-3-1234-5678",
        "0081-90-1234-5678",
        "010-81-3-1234-5678",
        "01081312345678",
        "0081312345678",
    ],
)
def test_japanese_phones_are_found(phone: str) -> None:
    """Mobile, IP, landline and toll-free numbers are found as people write them, full-width and in a text."""
    assert kinds(phone) == {LeakKind.PHONE}
    assert kinds(phone.translate(FULL_WIDTH)) == {LeakKind.PHONE}
    assert kinds(f"電話{phone}まで") == {LeakKind.PHONE}


@pytest.mark.parametrize(
    "text",
    [
        "2023-08-31",
        "2023-08-31 10:00:00.123456+09:00",
        "31/08/2023",
        "0000123456",
        "00012345678",
        "150-0001",
        "0.0312345678",
        "090-1234-567",
        "1090-1234-5678",
        "090-1234-56789",
        "0901234567a",
        "090-****-5678",
        "192.168.10.100",
        "550e8400-e29b-41d4-a716-0901234567ab",
    ],
)
def test_what_is_no_phone_is_left_alone(text: str) -> None:
    """Dates, padded numbers, postal codes, fractions, masked phones and addresses are no phones."""
    assert kinds(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "taro@example.jp",
        "taro.yamada+card@mail.example.co.jp",
        "TARO_Y@EXAMPLE.COM",
        "連絡先はtaro@example.jpです",
        "<taro@example.jp>",
        "mailto:taro@example.jp?subject=x",
        "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ",
        "太郎@example.jp",
        "taro@例え.jp",
        '"taro yamada"@example.jp',
    ],
)
def test_email_addresses_are_found(text: str) -> None:
    """E-mail addresses are found in texts, in full-width letters and with Japanese parts."""
    assert kinds(text) == {LeakKind.EMAIL}


@pytest.mark.parametrize("text", ["@taro", "taro@", "a @ b.jp", "3 個 @ 100.50 円", "taro@localhost", "gmail.com"])
def test_what_is_no_email_address_is_left_alone(text: str) -> None:
    """Handles, prices and bare domains are no e-mail addresses."""
    assert kinds(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "%B4111111111111111^YAMADA/TARO^2512101000000000?",
        "B4111111111111111^YAMADA/TARO^2512101",
        ";4111111111111111=25121010000012345678?",
        "4111111111111111=2512101",
        "4111111111111111D25121010000012345678F",
        "x;4111111111111112=25121010000012345678?",
    ],
)
def test_track_data_is_found(text: str) -> None:
    """Track 1 and track 2 are found, from a stripe or a chip, whether or not the number passes its check."""
    assert LeakKind.TRACK in kinds(text)


@pytest.mark.parametrize(
    "text", ["1234567890123=1", "1234567890123=2513101", "1234567890123 = 2512101", "4111111111111111^"]
)
def test_what_is_no_track_data_is_left_alone(text: str) -> None:
    """A long number beside an equals sign is no track data without an expiry and a service code."""
    assert LeakKind.TRACK not in kinds(text)
