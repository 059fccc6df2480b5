"""Whatever people and machines write around a number or an address, nothing of it stays readable after scrub_text.

The inputs come from public reports about neighboring tools, rewritten with made-up data; each stands for its kind.
"""

from __future__ import annotations

import json
import re
import unicodedata

import pyarrow as pa
import pytest

from masking.leaks import LeakKind, count_leaks
from masking.normalize import normalize
from masking.strategies.scrub_text import _scrubbed

CARD, AMEX = "4111111111111111", "378282246310005"


def scrub(text: str) -> str:
    """Returns one scrubbed value."""
    scrubbed: str = _scrubbed(pa.array([text]))[0].as_py()
    return scrubbed


def kinds(text: str) -> set[LeakKind]:
    """Returns what is found in one text."""
    return set(count_leaks(pa.array([text])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'{"memo":"\uff14\uff11\uff11\uff11' + r"\uff11" * 12 + '"}', '{"memo":"[PAN]"}'),
        (r'{"memo":"4111\n1111\n1111\n1111"}', '{"memo":"[PAN]"}'),
        (r'{"memo":"4111\/1111\/1111\/1111"}', '{"memo":"[PAN]"}'),
        (r'{"to":"hanako\u0040example.jp"}', '{"to":"[EMAIL]"}'),
        (r'"{\"to\":\"hanako\\u0040example.jp\"}"', r'"{\"to\":\"[EMAIL]\"}"'),
        (r'{"tel":"\u0030\u0039\u0030-1234-5678"}', '{"tel":"[PHONE]"}'),
        (r"\x34111111111111111", "[PAN]"),
        (r"\u{1d7d2}111111111111111", "[PAN]"),
        (r"\ud835\udfd2111111111111111", "[PAN]"),
        ("%u0034111111111111111", "[PAN]"),
        ("pan=4111+1111+1111+1111&exp=12%2F27", "pan=[PAN]&exp=12%2F27"),
        ("hanako%40example.jp", "[EMAIL]"),
        ("hanako%2540example.jp", "[EMAIL]"),
        ("tel=%2B81-90-1234-5678", "tel=%2B[PHONE]"),
        ("%34%31%31%31" * 1 + "%31" * 12, "[PAN]"),
        ("4111&#32;1111&nbsp;1111&#x20;1111", "[PAN]"),
        ("hanako&commat;example.jp", "[EMAIL]"),
        ("hanako&amp;#64;example.jp", "[EMAIL]"),
        ("4111<br>1111<br/>1111</div>1111", "[PAN]"),
        ("4<b>1</b>11 1111 1111 1111", "[PAN]"),
        ("<b>4111</b><b>1111</b><b>1111</b><b>1111</b>", "<b>[PAN]"),
        (r"\x34111\xe2\x80\xbb1111\xe2\x80\xbb1111\xe2\x80\xbb1111", "[PAN]"),
        ("tel=%2B44+20+7946+0958", "tel=%2B[PHONE]"),
        ("4.111111111111111E+15", "[PAN]"),
        ("0.4111111111111111e16", "[PAN]"),
        ("<taro@example.jp>", "<[EMAIL]>"),
        ("%B4111111111111111^YAMADA/TARO^2512101?", "[TRACK]"),
    ],
)
def test_escapes_and_encodings_hide_nothing(text: str, expected: str) -> None:
    """JSON, Unicode, percent, form and HTML escapes are read, and the placeholder replaces the encoded span."""
    assert scrub(text) == expected


def test_a_url_is_scrubbed_as_decoded() -> None:
    """Card, address and phone of one query string go, each for itself."""
    url = "https://pay.example/cb?pan=4111%201111%201111%201111&mail=hanako%40example.jp&tel=%2B819012345678"
    assert kinds(url) == {LeakKind.PAN, LeakKind.EMAIL, LeakKind.PHONE}
    left = scrub(url)
    assert left.startswith("https://pay.example/cb?pan=[PAN]&")
    assert "hanako" not in left
    assert not re.search("[0-9]{4}", left)


SIGNS = [
    *("    ", "　　　　", "、", ",", "〜", "～", " | ", ")(", "*", ":", '", "', "' '", "\n> ", "~", ";"),
    *("→", "💳", "・・", "】【"),
]


@pytest.mark.parametrize("sign", SIGNS)
def test_printed_groups_belong_together_whatever_parts_them(sign: str) -> None:
    """Fours, Amex's groups and My Number's are found with one to six signs between them, and no more."""
    assert kinds(sign.join(["4111", "1111", "1111", "1111"])) == {LeakKind.PAN}
    assert kinds(sign.join(["3782", "822463", "10005"])) == {LeakKind.PAN}
    assert LeakKind.MY_NUMBER in kinds(sign.join(["1234", "5678", "9018"]))
    assert kinds((" " * 7).join(["4111", "1111", "1111", "1111"])) == set()


@pytest.mark.parametrize(
    "text",
    [
        "4,111, 1,111",
        "2019, 2020, 2021",
        "12,345、67,890",
        "35.6812, 139.7671",
        "2400:4050:1234::/48",
        "10:00 11:15 12:30",
    ],
)
def test_lists_of_amounts_years_and_places_stay(text: str) -> None:
    """Amounts, coordinates, years, times and networks are no numbers in groups."""
    assert scrub(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0004111111111111111", "000[PAN]"),
        ("0378282246310005", "0[PAN]"),
        ("0000378282246310005", "0000[PAN]"),
        (f"{CARD}2712", "[PAN]"),
        (f"{CARD}1227", "[PAN]"),
        (f"{CARD}2712123", "[PAN]"),
        (f"{CARD}123", "[PAN]"),
        (f"{AMEX}2712", "[PAN]"),
        (f"0000{CARD}2712", "0000[PAN]"),
        (f"{CARD}9913", f"{CARD}9913"),
    ],
)
def test_padded_and_glued_numbers_are_found(text: str, expected: str) -> None:
    """Leading zeros, and an expiry or a code behind a number, hide nothing; other digits make another number."""
    assert scrub(text) == expected


ZEROS = [chr(code) for code in range(0x110000) if unicodedata.decimal(chr(code), None) == 0]


@pytest.mark.parametrize("zero", ZEROS, ids=[f"U+{ord(zero):04X}" for zero in ZEROS])
def test_the_digits_of_every_script_are_digits(zero: str) -> None:
    """A card number in any of Unicode's decimal digits is one."""
    assert scrub("".join(chr(ord(zero) + int(digit)) for digit in CARD)) == "[PAN]"


@pytest.mark.parametrize(
    "between", ["\u200e", "\u200b", "\u00ad", "\ufeff", "\u0336", "\x0b", "\x0c", "\x85", "\ufe0f\u20e3", "\U000e0020"]
)
def test_invisible_signs_hide_nothing(between: str) -> None:
    """Marks, format characters and odd line breaks between groups, or behind every digit, count as nothing."""
    assert kinds(between.join(["4111", "1111", "1111", "1111"])) == {LeakKind.PAN}
    assert kinds(between.join(CARD) + between) == {LeakKind.PAN}


@pytest.mark.parametrize(
    "address",
    [
        "josé.müller@example.de",
        "kōta.satō@example.jp",
        "jose\u0301@example.de",
        "taro@例え.みんな",
        "taro@xn--r8jz45g.xn--q9jyb4c",
        "taro@example。jp",
        "taro﹫example.jp",
        "иван.петров@пример.рф",
        "山田taro@example.co.jp",
        "taro@münchen.de",
    ],
)
def test_an_address_goes_whole(address: str) -> None:
    """Letters of any script, international domains, and the dots and at signs of Japan belong to an address."""
    assert scrub(address) == "[EMAIL]"
    assert scrub(f"to {address} now") == "to [EMAIL] now"


PHONES = [
    *("819012345678", "81-90-1234-5678", "(0)90-1234-5678", "090/1234/5678", "090～1234～5678", "090の1234の5678"),
    *("090-1234-\n5678", "0 9 0 1 2 3 4 5 6 7 8", "０９０ー１２３４ー５６７８", "+81(0)90-1234-5678", "٠٩٠-١٢٣٤-٥٦٧٨"),
]


@pytest.mark.parametrize("phone", PHONES)
def test_what_the_phone_normalizer_reads_the_gate_finds(phone: str) -> None:
    """Both read one way, and the number meets its plain spelling."""
    assert normalize(pa.array([phone]), ("jp_phone",)).to_pylist() == ["09012345678"]
    assert kinds(phone) == {LeakKind.PHONE}


@pytest.mark.parametrize(
    "phone",
    [
        *("+1 212 555 0100", "+1 (212) 555-0100", "+12125550100", "+44 20 7946 0958", "+44 (0)20 7946 0958"),
        *("+82-10-1234-5678", "+86 138 0013 8000", "010-1-212-555-0100", "00 44 20 7946 0958", "+886 2 2345 6789"),
    ],
)
def test_foreign_phones_are_found(phone: str) -> None:
    """A plus, or an exit code and a sign, tell a number of another country."""
    assert kinds(f"call {phone} now") == {LeakKind.PHONE}


@pytest.mark.parametrize("text", ["+09:00", "+1,234,567,890", "C++ 20", "2023-08-31T10:00:00+09:00", "+35.6812345678"])
def test_what_only_has_a_plus_is_no_phone(text: str) -> None:
    """Zones, amounts and coordinates are no phones."""
    assert kinds(text) == set()


@pytest.mark.parametrize("text", ["0000123456", "0.123456789", "03123456789"])
def test_the_normalizer_reads_no_number_that_is_not_called(text: str) -> None:
    """Padded numbers, fractions and eleven digits that nobody dials are not read, and not found."""
    assert normalize(pa.array([text]), ("jp_phone",)).to_pylist() == [None]
    assert kinds(text) == set()


def test_json_of_any_writer_is_read() -> None:
    """With and without ASCII escapes, once and twice over, a document hides nothing."""
    document = {"memo": "４１１１ １１１１ １１１１ １１１１", "to": "太郎@例え.jp"}
    for written in (json.dumps(document), json.dumps(document, ensure_ascii=False), json.dumps(json.dumps(document))):
        assert kinds(written) == {LeakKind.PAN, LeakKind.EMAIL}
        assert count_leaks(_scrubbed(pa.array([written]))) == {}


HOSTILE = [
    *("%", "\\", "&", "<a", "4 ", "%25", "\\u0034", "&#52;", "a@", "@", "0-", "+1", "１", "4.1E", "09", "e1"),
    *("::1", "<b>"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_is_read_in_linear_work(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the text makes about twice the bytes that are looked at more closely, and a stated number for each sign."""
    from masking.leaks.spelling import Plain  # noqa: PLC0415  what is counted

    looked_at = 0
    piece_of = Plain.piece

    def counted(text: Plain, row: int, start: int, end: int) -> bytes:
        nonlocal looked_at
        found = piece_of(text, row, start, end)
        looked_at += len(found)
        return found

    monkeypatch.setattr(Plain, "piece", counted)
    work = []
    for times in (2_000, 4_000):
        looked_at = 0
        count_leaks(pa.array([piece * times]))
        work.append(looked_at)
    assert work[1] <= 2.2 * work[0] + 1_000
    assert work[1] <= 700 * len(piece) * 4_000


@pytest.mark.parametrize(
    "text",
    [
        "4,111,111,111,111,111",
        "¥4,111,111,111,111,111 (total)",
        "4.111.111.111.111.111",
        "4'111'111'111'111'111",
        "4_111_111_111_111_111",
        "4,111,111,111,111,111.00",
        "378,282,246,310,005",
        "30,569,309,025,904",
        "4,000,000,000,000,000,006",
        "4111\u31641111\u31641111\u31641111",
    ],
)
def test_a_card_that_was_taken_for_an_amount_is_found(text: str) -> None:
    """Thousands parted by one sign, and letters that show nothing between groups, hide no number."""
    assert LeakKind.PAN in kinds(text)


@pytest.mark.parametrize(
    "text",
    ["378,282,246,310,005,120", "1,378,282,246,310,005", "378, 282, 246, 310, 005", "100,100,100,100,108", "4,111,111"],
)
def test_lists_and_amounts_of_thousands_stay(text: str) -> None:
    """A longer list, one with other gaps, UATP's range and smaller amounts are no card in thousands."""
    assert LeakKind.PAN not in kinds(text)
