"""Card numbers are found however people write them, and nothing else is taken for one."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.leaks import LeakKind, count_leaks, find_spans

CARDS = {
    "Visa": "4111111111111111",
    "Visa of 13 digits": "4222222222222",
    "Visa of 19 digits": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard, 2-series": "2223003122003222",
    "JCB": "3530111333300000",
    "American Express": "378282246310005",
    "Diners Club": "30569309025904",
    "Discover": "6011111111111117",
    "UnionPay": "6200000000000005",
    "UnionPay of 19 digits": "6205500000000000004",
    "Maestro": "6759649826438453",
    "Mir": "2200000000000004",
    "Verve": "5061460410120223210",
    "UATP": "135410014004955",
    "RuPay": "6074820000000009",
}
FULL_WIDTH = str.maketrans("0123456789-. ", "０１２３４５６７８９－．　")
SEPARATORS = ["", " ", "-", ".", "\u00a0", "－", "　", "‐", "−", "ー", "／", "\t", "\u202f", " - ", "\u200b", "_", "・"]


def in_fours(number: str, separator: str) -> str:
    """Writes a number in groups of four."""
    return separator.join(number[at : at + 4] for at in range(0, len(number), 4))


def pans(*texts: str | None) -> int:
    """Counts the texts that hold a card number."""
    return count_leaks(pa.array(texts, pa.string()))[LeakKind.PAN]


def luhn_valid(number: str) -> bool:
    """A second implementation, digit by digit."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def issued(prefix: str, length: int) -> str:
    """Returns the number of zeros after a prefix with its check digit."""
    payload = prefix.ljust(length - 1, "0")
    return next(payload + digit for digit in "0123456789" if luhn_valid(payload + digit))


@pytest.mark.parametrize(
    ("first", "last", "length"),
    [
        ("4000", "4999", 13),
        ("5078", "5599", 16),
        ("2221", "2720", 16),
        ("3528", "3589", 16),
        ("3400", "3499", 15),
        ("3700", "3799", 15),
        ("3000", "3099", 14),
        ("3000", "3199", 19),
        ("3600", "3699", 14),
        ("6200", "6299", 19),
        ("6440", "6599", 16),
        ("8100", "8299", 16),
        ("2200", "2205", 16),
        ("1000", "1999", 15),
        ("6062", "6062", 19),
        ("6000", "6099", 16),
        ("6360", "6399", 16),
        ("6360", "6369", 19),
        ("6761", "6763", 13),
        ("9792", "9792", 16),
    ],
)
def test_issuer_ranges_end_where_the_brands_say(first: str, last: str, length: int) -> None:
    """The first and the last prefix of a brand are known, and the ones before and after belong to nobody."""
    assert pans(f"by {issued(first, length)}", f"by {issued(last, length)}") == 2
    assert pans(f"by {issued(str(int(first) - 1).zfill(4), length)}") == 0
    assert pans(f"by {issued(str(int(last) + 1), length)}") == 0


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("brand", CARDS)
def test_every_brand_is_found_with_every_separator(brand: str, separator: str) -> None:
    """A card number in groups of four is found whatever stands between the groups, in ASCII and full-width digits."""
    written = in_fours(CARDS[brand], separator)
    if written.replace("\u200b", "") == CARDS["Visa of 13 digits"]:
        written = f"paid by {written}"  # without separators and words it is rather a JAN code
    assert pans(written) == 1
    assert pans(written.translate(FULL_WIDTH)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "カード4111111111111111を再発行",
        "card4111111111111111end",
        "No.4111111111111111",
        "(4111-1111-1111-1111)",
        "2023-08-31 4111111111111111",
        "4111111111111111 2023-08-31",
        "2023-08-30-4111111111111111",
        "090-1234-5678 4111 1111 1111 1111",
        "4111111111111111.00",
        "1.4111 1111 1111 1111",
        "1.4111111111111111 2.x",
        "0120-000-000.4111111111111111",
        '{"memo":"4111111111111111"}',
        "4111,1111 4111111111111111",
        "3782-822463-10005",
        "3782.822463.10005",
        "3056 930902 5904",
        "411111 1111111111",
        "41111111-11111111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "１２ 4111１１１１1111１１１１ 終",
        "4111111111111111\n5555555555554444",
        "id 00000000-0000-0000-0000-000000000001 pan 4111111111111111",
        "k1_4111111111111111",
    ],
)
def test_a_card_number_in_a_text_is_found(text: str) -> None:
    """Neither the words, dates and numbers around a card number nor its layout hide it."""
    assert pans(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "94111111111111111",
        "41111111111111110",
        "4111111111111111000000000",
        "９4111111111111111",
        "9111111111111111",
        "411111",
        "411111******1111",
        "4111-1111-1111-abcd-1111",
        "0.4111111111111111",
        '{"score":0.4111111111111111,"w":12.4111111111111111}',
        "35.6812364111111 139.7671254111111",
        "4111.111111111111",
        "45.33.12.89 10.22.10.88 41.11.11.11",
        "41111111-1111-4111-8111-1111111111f1",
        "d41d8cd98f00b204e9800998ecf8427e4111111111111111d41d8cd98f00b204",
        "36-3085-2023-08-31",
        "",
    ],
)
def test_what_is_no_card_number_is_left_alone(text: str) -> None:
    """Failed check digits, longer runs, tokens, fractions, addresses, UUIDs, hashes and dates are no card numbers."""
    assert pans(text) == 0


@given(
    st.sampled_from(sorted(CARDS.values())),
    st.lists(st.sampled_from([" ", "-", "\u00a0", "－"]), min_size=18, max_size=18),
    st.sets(st.integers(1, 18)),
)
def test_spaces_and_hyphens_may_stand_anywhere(number: str, separators: list[str], places: set[int]) -> None:
    """A card number is found with a space or hyphen, of any kind, at any places."""
    written = "".join((separators[at - 1] if at in places else "") + digit for at, digit in enumerate(number))
    if len(number) == 13:
        written = f"no. {written}"
    groups = [len(group) for group in written.replace("－", " ").replace("-", " ").replace("\u00a0", " ").split()]
    phone_or_date = {2, 3} & set(groups)  # a group such as 0000-00-00 may be read as a date or a phone number
    assert pans(written) == 1 or phone_or_date


@pytest.mark.parametrize(
    ("text", "found"), [("4222222222222", 0), ("paid by 4222222222222", 1), ("4222 2222 2222 2", 1)]
)
def test_thirteen_digits_in_a_row_are_no_visa_by_themselves(text: str, found: int) -> None:
    """Whole values of 13 digits are articles; in words or in printed groups they are a card that Visa once issued."""
    assert pans(text) == found
    assert pans("JAN 4901234567894", "4901234567894") == 0


_WORDS = st.sampled_from(["x", "円", ":", ",", "カード", "＝", "@"])
_DIGITS = st.text("0123456789４", min_size=1, max_size=21)
_CARDS = st.sampled_from(sorted(CARDS.values()))


def _second_opinion(text: str) -> bool:
    """Plain Python: every run of digits that holds a card number: after zeros, before an expiry or a code."""
    plain = "".join(str(int(sign)) if sign.isdecimal() else " " for sign in text)
    alone = len(plain.split()) == 1 and plain.strip() == text.translate(_ASCII).strip()
    return any(_holds_card(run, alone=alone) for run in plain.split())


_ASCII = str.maketrans("０１２３４５６７８９", "0123456789")


def _holds_card(run: str, *, alone: bool) -> bool:
    bare = run.lstrip("0")
    if 13 <= len(bare) <= 19 and _issued(bare) and luhn_valid(bare):
        jan = len(run) == 13 and run[0] == "4" and (alone or run[:2] in {"45", "49"})
        if not jan or not (alone or _ean_valid(run)):
            return True
    return any(
        len(bare) == length + rest
        and _issued(bare[:length])
        and luhn_valid(bare[:length])
        and (length != 15 or bare[0] == "3")
        and (rest < 4 or _expiry(bare[length : length + 4]))
        for length, rests in {16: (3, 4, 7, 8), 15: (4, 7, 8), 19: (4, 7)}.items()
        for rest in rests
    )


def _ean_valid(run: str) -> bool:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(run)) % 10 == 0


def _expiry(four: str) -> bool:
    first, second = int(four[:2]), int(four[2:])
    return (10 <= first <= 49 and 1 <= second <= 12) or (10 <= second <= 49 and 1 <= first <= 12)


_RANGES = (
    # first and last four digits, lengths: as the brands publish them, written down a second time
    *((low, high, {16, 17, 18, 19}) for low, high in [(3528, 3589), (6011, 6011), (6440, 6599), (6200, 6299)]),
    *((low, high, {16, 17, 18, 19}) for low, high in [(8100, 8171), (2200, 2204), (6360, 6369), (6040, 6042)]),
    *((low, high, {14, 16, 17, 18, 19}) for low, high in [(3000, 3099), (3600, 3699), (3800, 3999)]),
    *((four, four, set(range(13, 20))) for four in [5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763, 6767]),
    *((low, high, {15}) for low, high in [(3400, 3499), (3700, 3799), (1000, 1999), (2131, 2131)]),
    *((low, high, {16}) for low, high in [(5080, 5599), (2221, 2720), (8100, 8299), (6000, 6099), (6370, 6399)]),
    *((four, four, {16}) for four in [5019, 5041, 5066, 5067, 9792, 9860, 8600, 5614, 2205]),
    *((low, high, {16, 18, 19}) for low, high in [(5060, 5061), (5078, 5079), (1946, 1946)]),
    (4000, 4999, {13, 16, 19}),
    (6062, 6062, {16, 19}),
    (5644, 5644, {18}),
    (3100, 3199, {19}),
    (9704, 9704, {16, 19}),
)


def _issued(run: str) -> bool:
    return any(low <= int(run[:4]) <= high and len(run) in lengths for low, high, lengths in _RANGES)


@given(st.lists(st.lists(st.one_of(_WORDS, _DIGITS, _CARDS), max_size=6).map("".join) | st.none(), max_size=12))
def test_the_array_code_agrees_with_plain_python(texts: list[str | None]) -> None:
    """For unseparated digits, arrays find exactly the rows that a digit-by-digit implementation finds."""
    found = {span.row for span in find_spans(pa.array(texts, pa.string()), frozenset({LeakKind.PAN}))}
    assert found == {row for row, text in enumerate(texts) if text and _second_opinion(text)}


@given(st.sampled_from(sorted(CARDS.values())), st.integers(0, 9), st.booleans())
def test_a_longer_run_of_digits_hides_nothing(number: str, digit: int, before: bool) -> None:  # noqa: FBT001 - hypothesis gives it by position
    """One more digit on either side makes another number; it counts only if that one is a card number itself."""
    longer = f"{digit}{number}" if before else f"{number}{digit}"
    assert bool(pans(longer)) == _second_opinion(longer)
