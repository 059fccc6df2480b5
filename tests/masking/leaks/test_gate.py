"""The gate's three certainties: own cards by IIN, columns of cards by their share, declared numbers by their format."""

from __future__ import annotations

import math
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from etl.stage.leak_advice import advice
from masking.card_numbers import count_valid_cards
from masking.examples import EXAMPLE_DAY, example_keyring
from masking.formats import SCHEMES, LuhnShare, PatternFormat, format_named, luhn_share
from masking.formats.declared import fits
from masking.leaks import Allowed, LeakKind, find_leaks
from masking.plan import ColumnRule, MaskPlan
from masking.strategies import Fpe, Keep, MaskContext, ScrubText, Strategy
from masking.value_shapes import count_looks, mostly
from scripts.false_alarms import KINDS, alarms, luhn

HOUSE = ("999123", "88880001")
OWN_CARD = next(f"99912300000000{digit}" for digit in "0123456789" if luhn("99912300000000") == digit)
GIVEN = MaskContext(example_keyring(), EXAMPLE_DAY, own_iins=HOUSE)


def found(values: list[object], allowed: Allowed | None = None, own: tuple[str, ...] = ()) -> dict[LeakKind, int]:
    """Returns kinds and counts of one column."""
    leaks = find_leaks(pa.record_batch({"c": pa.array(values)}), {"c": allowed or Allowed()}, own)
    return {leak.kind: leak.count for leak in leaks}


SPELLINGS = [
    OWN_CARD,
    " ".join(OWN_CARD),
    ",".join([OWN_CARD[:4], OWN_CARD[4:8], OWN_CARD[8:12], OWN_CARD[12:]]),
    f"0000{OWN_CARD}",
    f"card{OWN_CARD}x",
    f"0.{OWN_CARD}",
    "".join(f"\\u{0xFF10 + int(digit):04x}" for digit in OWN_CARD),
    "%3" + "%3".join(OWN_CARD),
]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_an_own_card_stops_any_column(spelled: str) -> None:
    """A house card of no brand is found in every spelling, and neither may_look_like nor a format allows it."""
    everything = frozenset(LeakKind)
    assert found([spelled], own=HOUSE)[LeakKind.OWN_CARD] == 1
    assert found([spelled], Allowed(everything), HOUSE)[LeakKind.OWN_CARD] == 1
    assert LeakKind.OWN_CARD in found([spelled], Allowed(everything, "code"), HOUSE)
    assert LeakKind.OWN_CARD not in found([spelled])
    assert LeakKind.OWN_CARD not in found([spelled.replace("9", "7")], own=HOUSE)


def test_tokens_of_cards_are_judged_by_the_values_that_rows_name() -> None:
    """An own card among tokens counts once a row, however the column is kept; one that no row names does not."""
    tokens, may = [OWN_CARD, "9991230000000009", None, OWN_CARD], {"c": Allowed(tokens=True)}
    for column in (pa.array(tokens), pa.array(tokens).dictionary_encode()):
        (leak,) = find_leaks(pa.record_batch({"c": column}), may, HOUSE)
        assert (leak.kind, leak.count, count_valid_cards(column)) == (LeakKind.OWN_CARD, 2, 2)
    others = pa.array(tokens).dictionary_encode().take(pa.array([1, 2, 1]))
    assert len(others.dictionary) == 2
    assert (find_leaks(pa.record_batch({"c": others}), may, HOUSE), count_valid_cards(others)) == ((), 0)
    numbers = pa.array([int(OWN_CARD), 5, int(OWN_CARD)]).dictionary_encode()
    assert [leak.count for leak in find_leaks(pa.record_batch({"c": numbers}), may, HOUSE)] == [2]


@given(values=st.lists(st.text("0123456789 -#kＡé１", max_size=26) | st.none(), max_size=20))
def test_numbers_among_whole_values_are_counted(values: list[str | None]) -> None:
    """A number has twelve to nineteen digits, of any width, among signs; a value with a letter is none."""
    digits = [
        "".join(str(int(sign)) for sign in value if sign.isdecimal())
        for value in values
        if value is not None and not any(map(str.isalpha, value))
    ]
    numbers = [number for number in digits if 12 <= len(number) <= 19]
    valid = [number for number in numbers if luhn(number[:-1]) == number[-1]]
    assert luhn_share(pa.array(values, pa.string())) == LuhnShare(len(numbers), len(valid))


def test_own_cards_of_ten_digits_and_numbers_are_found() -> None:
    """House cards are short or long, and columns of numbers hold them too."""
    short = "888800010" + luhn("888800010")
    assert found([int(short), 5], own=HOUSE) == {LeakKind.OWN_CARD: 1}
    assert found([int(OWN_CARD)], own=HOUSE)[LeakKind.OWN_CARD] == 1


def test_scrub_text_takes_own_cards_out() -> None:
    """What scrub_text leaves holds no own card either."""
    column = pa.array([f"card {OWN_CARD} renewed", "nothing"])
    plan = MaskPlan((ColumnRule("memo", pa.string(), ScrubText()),), EXAMPLE_DAY, HOUSE)
    masked = plan.mask(pa.record_batch({"memo": column}), example_keyring()).batch
    assert masked.column(0).to_pylist() == ["card [PAN] renewed", "nothing"]
    assert find_leaks(masked, plan.allowed, plan.own_iins) == ()


def house_cards(count: int, prefix: str = "7", length: int = 16) -> list[str]:
    """Returns numbers of no brand that all pass Luhn."""
    bits = random.Random(7)  # noqa: S311 - sample values
    bodies = (prefix + f"{bits.randrange(10 ** (length - 2)):0{length - 2}d}" for _ in range(count))
    return [body + luhn(body) for body in bodies]


def test_forty_cards_of_no_brand_are_a_column_of_cards() -> None:
    """A kept char(16) column whose values all pass Luhn stops the table, whatever they begin with."""
    cards = house_cards(40)
    (leak,) = find_leaks(pa.record_batch({"card_num": cards}), {})
    assert (leak.column, leak.kind, leak.count) == ("card_num", LeakKind.PAN, 40)
    assert leak.share == LuhnShare(40, 40)
    assert mostly(count_looks(pa.array(cards)), 40) == "pan"
    assert found([int(card) for card in cards]) == {LeakKind.PAN: 40}
    assert found(cards, Allowed(number="digits")) == {LeakKind.PAN: 40}


@pytest.mark.parametrize("sign", ["_", ", ", "*", ":", "・", "〜", " | "])
def test_cards_in_fours_are_a_column_of_cards(sign: str) -> None:
    """Whatever parts the printed groups, and in quotes, brackets or bytes too, the share of all digits decides."""
    cards = house_cards(40)
    grouped = [sign.join(card[at : at + 4] for at in range(0, 16, 4)) for card in cards]
    quoted, listed = [f'"{one}"' for one in grouped], [f"[{one}]" for one in cards]
    for values in (grouped, quoted, listed, [one.encode() for one in cards]):
        assert found(values)[LeakKind.PAN] == 40
    others = [f"7{n:04d}{sign}{n * 7_919_777 % 10**9:09d}" for n in range(5_000)]
    assert LeakKind.PAN not in found(others)


def test_ids_of_letters_and_digits_are_no_free_text() -> None:
    """What helps for a number inside an id, or for a bare address, is never scrub_text: it would change right data."""
    for values in (["ab4111111111111111cd"], ["5f2b4111111111111111"], ["XY4111111111111111"], ["taro1@example.jp"]):
        leaks = find_leaks(pa.record_batch({"c": pa.array(values)}), {})
        assert leaks
        told = " ".join(advice(leaks))
        assert "scrub_text" not in told, told
    for text in ("カード4111111111111111", "card:4111111111111111", "mail taro1@example.jp"):
        assert "scrub_text" in " ".join(advice(find_leaks(pa.record_batch({"c": pa.array([text])}), {})))


def test_chance_and_repetition_make_no_column_of_cards() -> None:
    """One in ten passes by chance, and one terminal's id a million times is one value."""
    bits = random.Random(8)  # noqa: S311 - sample values
    assert found([f"7{bits.randrange(10**15):015d}" for _ in range(20_000)]) == {}
    assert found(house_cards(1) * 5_000 + [f"7{number:015d}" for number in range(20)]) == {}


@pytest.mark.parametrize(("numbers", "valid"), [(9, 9), (82, 41), (1_000_000, 102_000)])
def test_the_bound_is_chernoffs(numbers: int, valid: int) -> None:
    """The documented counts are too high, half of what exceeds chance is not, and the exact tail is lower."""
    assert LuhnShare(numbers, valid).too_high()
    by_chance = numbers // 10
    assert not LuhnShare(numbers, (valid + by_chance) // 2).too_high()
    if numbers < 100:
        tail = sum(math.comb(numbers, k) * 0.1**k * 0.9 ** (numbers - k) for k in range(valid, numbers + 1))
        assert tail <= 1.1e-9
    assert not LuhnShare(numbers, numbers).too_high(rate=1)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_declared_number_raises_no_false_alarm(name: str) -> None:
    """With the declared format no table stops; without it, the message names that format or a narrower one."""
    result = alarms(KINDS[name], 3_000)
    assert result.declared == ()
    for leak in result.undeclared:
        declared = KINDS[name].number
        assert isinstance(declared, PatternFormat) or declared in leak.fits or leak.fits
        assert all(fits(pa.array([KINDS[name].make(random.Random(1))]), SCHEMES[fit]).all() for fit in leak.fits)  # noqa: S311


@pytest.mark.parametrize(
    ("declared", "right", "wrong"),
    [
        ("jan", "4901234567894", "4901234567895"),
        ("invoice_number", "T7000012050002", "T7000012050003"),
        ("corporate_number", "7000012050002", "1000012050002"),
        ("imei", "490154203237518", "490154203237519"),
        ("isbn", "978-4-10-109205-8", "978-4-10-109205-9"),
        ("upc", "036000291452", "036000291453"),
        ("sscc", "006141411234567890", "006141411234567891"),
        ("s10_parcel", "RR473124829GB", "RR473124828GB"),
        ("rrn", "324310123456", "399910123456"),
        ("uuid", "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716"),
        ("gtin14", "10012345678902", "10012345678903"),
    ],
)
def test_check_digits_are_those_of_the_standards(declared: str, right: str, wrong: str) -> None:
    """Published examples fit their scheme, and no neighbor of theirs does."""
    scheme = SCHEMES[declared]  # type: ignore[index]  a name of the parametrization
    assert fits(pa.array([right, wrong, None]), scheme).tolist() == [True, False, True]


def test_what_does_not_fit_its_format_stops_the_table() -> None:
    """One misfit is enough, and a column of other issuers' cards is not declared away."""
    jan = Allowed(number="jan")
    assert found(["4901234567894", None], jan) == {}
    assert found(["4901234567894", "4901234567895"], jan) == {LeakKind.MISFIT: 1}
    assert found(["taro@example.jp"], Allowed(number="code")) == {LeakKind.EMAIL: 1, LeakKind.MISFIT: 1}
    visa = [f"4{card}" for card in house_cards(40, "1", 15)]
    cards = [body + luhn(body) for body in (card[:-1] for card in visa)]
    assert found(cards, Allowed(number="digits")) == {LeakKind.PAN: 40}


@pytest.mark.parametrize("pattern", [".*", "[0-9", r".+@.+", "[^x]+", "(?=4)[0-9]+"])
def test_a_pattern_describes_a_number(pattern: str) -> None:
    """A pattern that lets words or addresses pass, or that RE2 cannot read, is refused."""
    with pytest.raises(ValidationError):
        PatternFormat(pattern=pattern, why="a reason")


def test_a_pattern_needs_a_reason() -> None:
    """Without `why` there is no pattern."""
    with pytest.raises(ValidationError):
        PatternFormat.model_validate({"pattern": "[0-9]{16}"})
    assert format_named(PatternFormat(pattern="[0-9]{16}", why="our orders")).rate == 0.1


LENGTHS = {
    "digits": range(10, 20),
    "pan": range(13, 20),
    "alphanumeric": (4, 10, 16),
    "upper_alphanumeric": (4, 12, 16),
}


@pytest.mark.parametrize("form", sorted(LENGTHS))
def test_no_token_of_fpe_trips_the_gate(form: str) -> None:
    """A million tokens a format, of every length and among own IINs of any first digit: none is stopped."""
    iins = tuple(f"{first}00000" for first in range(10)) + HOUSE
    strategy = Fpe.model_validate({"strategy": "fpe", "domain": "account", "format": form})
    given = MaskContext(example_keyring(), EXAMPLE_DAY, own_iins=iins)
    each = 1_000_000 // len(LENGTHS[form])  # type: ignore[arg-type]  ranges and tuples have a length
    for length in LENGTHS[form]:  # type: ignore[attr-defined]  the same
        tokens = strategy.mask(_numbers(length, each, valid=form == "pan"), given).values
        batch = pa.record_batch({"token": tokens})
        rule = ColumnRule("token", pa.string(), strategy)
        assert find_leaks(batch, {"token": rule.allowed}, iins) == ()


def _numbers(length: int, count: int, *, valid: bool) -> pa.Array:
    """Returns distinct numbers of so many digits, with Luhn's check digit where they must be card numbers."""
    step = np.random.default_rng(length).integers(0, 10, (count, length), np.uint8)
    if valid:
        from masking.kernels.luhn import check_digit  # noqa: PLC0415  only for cards

        step[:, -1] = check_digit(step[:, :-1])
    data = (step + np.uint8(ord("0"))).tobytes()
    offsets = np.arange(0, count * length + 1, length, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def test_tokens_walk_past_own_cards_and_open_again() -> None:
    """With so many own IINs that one token in twenty would be a card, none is, and every one opens."""
    iins = tuple(f"{number:06d}" for number in range(0, 1_000_000, 2))
    given = MaskContext(example_keyring(), EXAMPLE_DAY, own_iins=iins)
    strategy = Fpe(domain="account", format="digits")
    column = pa.array([f"1{number:015d}" for number in range(2_000)])
    masked = strategy.mask(column, given)
    refused = luhn_share(column).valid if masked.invalid is None else int(masked.invalid.sum())
    kept = masked.values.drop_null()
    assert len(kept) == 2_000 - refused
    assert found(kept.to_pylist(), Allowed(tokens=True), iins) == {}
    opened = strategy.unmask(masked.values, given).values
    assert opened.drop_null().to_pylist() == column.filter(masked.values.is_valid()).to_pylist()


def test_an_own_card_is_no_account_number() -> None:
    """A live own card under `format: digits` is invalid instead of becoming a token of another kind."""
    masked = Fpe(domain="account", format="digits").mask(pa.array([OWN_CARD, "1234567890123"]), GIVEN)
    assert masked.values.is_null().to_pylist() == [True, False]


@pytest.mark.parametrize("strategy", [Keep(why="a code")])
def test_a_kept_column_of_tokens_is_not_believed(strategy: Strategy) -> None:
    """Only the mask tells tokens: a kept column of numbers is looked at."""
    rule = ColumnRule("c", pa.string(), strategy)
    batch = pa.record_batch({"c": ["4111111111111111"]})
    assert [leak.kind for leak in find_leaks(batch, {"c": rule.allowed})] == [LeakKind.PAN]


def test_an_encoded_column_is_judged_as_a_plain_one() -> None:
    """Every row counts, also among tokens of `fpe`, whatever the encoding."""
    column = pa.array([OWN_CARD, None, "4111111111111111", OWN_CARD, "none"])
    for allowed in (Allowed(), Allowed(tokens=True)):
        plain, encoded = (
            find_leaks(pa.record_batch({"c": each}), {"c": allowed}, HOUSE)
            for each in (column, column.dictionary_encode())
        )
        assert plain == encoded
        assert plain[0].count == 2
