"""fpe gives tokens of the same shape that open again; those of card numbers can never be taken for one."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from masking.examples import EXAMPLE_DAY, example_keyring
from masking.strategies import Fpe, MaskContext, Pseudonymize, Tokenize

GIVEN = MaskContext(example_keyring(), EXAMPLE_DAY)
settings.register_profile("arrays", max_examples=60, deadline=None)
settings.load_profile("arrays")


def luhn_passes(number: str) -> bool:
    """The plain algorithm, digit by digit, as a second implementation."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@st.composite
def card_numbers(draw: st.DrawFn, least: int = 13) -> str:
    """Numbers of 13 to 19 digits that pass Luhn."""
    payload = draw(st.text("0123456789", min_size=least - 1, max_size=18))
    return next(payload + digit for digit in "0123456789" if luhn_passes(payload + digit))


@for_all(
    st.lists(st.none() | card_numbers(), max_size=30), st.sampled_from([(0, 0), (6, 0), (8, 0), (0, 4), (6, 4), (8, 4)])
)
def test_card_tokens_fail_luhn_and_open_again(cards: list[str | None], kept: tuple[int, int]) -> None:
    """Every token has its card number's length and kept digits, fails Luhn, and opens to the card number."""
    first, last = kept
    strategy = Fpe.model_validate({"strategy": "fpe", "domain": "pan", "keep_first": first, "keep_last": last})
    masked = strategy.mask(pa.array(cards, pa.string()), GIVEN)
    tokens = masked.values.to_pylist()
    small = [card is not None and len(card) - first - max(last, 1) < 6 for card in cards]
    assert (masked.invalid.tolist() if masked.invalid is not None else [False] * len(cards)) == small
    for card, token, refused in zip(cards, tokens, small, strict=True):
        if card is None or refused:
            assert token is None
            continue
        assert not luhn_passes(token)
        assert len(token) == len(card)
        assert token[:first] == card[:first]
        assert last == 0 or token[-last:] == card[-last:]
        assert re.search(strategy.token_pattern() or "", token)
    back = strategy.unmask(masked.values, GIVEN)
    assert back.values.to_pylist() == [None if refused else card for card, refused in zip(cards, small, strict=True)]
    assert back.invalid is None


@pytest.mark.parametrize("kept", [(0, 0), (6, 4)])
def test_card_tokens_are_one_to_one_over_a_whole_range(kept: tuple[int, int]) -> None:
    """All 100,000 card numbers of one BIN and last four have different tokens, none of which passes Luhn."""
    middles = np.arange(1_000_000)
    numbers = [f"411111{middle:06d}1111" for middle in middles]
    cards = pa.array([number for number in numbers[::7] if luhn_passes(number)])
    strategy = Fpe.model_validate({"strategy": "fpe", "domain": "pan", "keep_first": kept[0], "keep_last": kept[1]})
    tokens = strategy.mask(cards, GIVEN).values
    assert tokens.null_count == 0
    assert len(tokens.unique()) == len(cards)
    assert not any(luhn_passes(token) for token in tokens.to_pylist())
    assert strategy.unmask(tokens, GIVEN).values.equals(cards)


@pytest.mark.parametrize(
    ("number", "parameters"),
    [
        ("4111111111111112", {}),  # fails Luhn
        ("411111111111", {}),  # 12 digits
        ("41111111111111111111", {}),  # 20 digits
        ("4111-1111-1111-1111", {}),  # separators without `normalize: [digits]`
        ("４１１１１１１１１１１１１１１１", {}),  # full width without it
        ("378282246310005", {"keep_first": 6, "keep_last": 4}),  # five free digits
        ("30569309025904", {"keep_first": 8}),
        ("", {}),
        ("😀" * 4, {}),
        ("4" * 10_000_000, {}),
    ],
)
def test_what_has_no_card_token_is_counted(number: str, parameters: dict[str, object]) -> None:
    """A number that cannot have a token is null and flagged; its neighbors are masked."""
    strategy = Fpe.model_validate({"strategy": "fpe", "domain": "pan", **parameters})
    masked = strategy.mask(pa.array([number, "4111111111111111", None]), GIVEN)
    assert masked.values.is_null().to_pylist() == [True, False, True]
    assert masked.invalid is not None
    assert masked.invalid.tolist() == [True, False, False]


def test_a_token_is_not_masked_again() -> None:
    """A card token given to fpe a second time is invalid."""
    strategy = Fpe(domain="pan")
    again = strategy.mask(strategy.mask(pa.array(["4111111111111111"]), GIVEN).values, GIVEN)
    assert again.invalid is not None
    assert again.invalid.all()


@pytest.mark.parametrize("kept", [{}, {"keep_first": 6, "keep_last": 4}])
def test_what_is_no_card_token_does_not_open(kept: dict[str, object]) -> None:
    """A live card number is not taken for a token."""
    back = Fpe.model_validate({"domain": "pan", **kept}).unmask(pa.array(["4111111111111111", "no", None]), GIVEN)
    assert back.values.null_count == 3
    assert back.invalid is not None
    assert back.invalid.tolist() == [True, True, False]


def test_spellings_of_a_card_meet_where_the_contract_says_so() -> None:
    """Full-width digits, separators and integers have one token under `normalize: [digits]`."""
    spelled = pa.array(["4111111111111111", "4111-1111-1111-1111", "４１１１ １１１１ １１１１ １１１１"])
    for strategy in (Fpe(domain="pan", normalize=("digits",)), Tokenize(domain="pan", normalize=("digits",))):
        tokens = strategy.mask(spelled, GIVEN).values.to_pylist()
        assert len(set(tokens)) == 1
        assert strategy.mask(pa.array([4111111111111111]), GIVEN).values.to_pylist() == tokens[:1]


@for_all(
    st.sampled_from(
        [("digits", "0123456789", 6), ("upper_alphanumeric", "0189ABYZ", 4), ("alphanumeric", "09azAZ", 4)]
    ),
    st.data(),
)
def test_other_alphabets_open_again(kind: tuple[str, str, int], data: st.DataObject) -> None:
    """Values of an alphabet become values of the same alphabet and length, and open again."""
    name, characters, least = kind
    texts = data.draw(st.lists(st.none() | st.text(characters, min_size=least, max_size=40), max_size=20))
    strategy = Fpe.model_validate({"strategy": "fpe", "domain": "account", "format": name})
    column = pa.array(texts, pa.string())
    masked = strategy.mask(column, GIVEN)
    assert masked.invalid is None
    assert [text and len(text) for text in masked.values.to_pylist()] == [text and len(text) for text in texts]
    pattern = strategy.token_pattern() or ""
    assert all(re.search(pattern, token) for token in masked.values.drop_null().to_pylist())
    assert strategy.unmask(masked.values, GIVEN).values.equals(column)


@for_all(st.lists(st.none() | card_numbers(), min_size=1, max_size=30), st.data())
def test_masking_does_not_depend_on_the_batch(cards: list[str | None], data: st.DataObject) -> None:
    """A value's token is the same in a slice, in chunks, in a dictionary and in another order."""
    column = pa.array(cards, pa.string())
    start = data.draw(st.integers(0, len(cards)))
    for strategy in (Fpe(domain="pan"), Tokenize(domain="pan"), Pseudonymize(domain="pan")):
        whole = strategy.mask(column, GIVEN).values
        assert strategy.mask(column.slice(start), GIVEN).values.equals(whole.slice(start))
        assert strategy.mask(pa.chunked_array([column[:start], column[start:]]), GIVEN).values.equals(whole)
        assert strategy.mask(column.dictionary_encode().slice(start), GIVEN).values.equals(whole.slice(start))
        assert strategy.mask(column[::-1], GIVEN).values.equals(whole[::-1])


def test_unfit_values_of_an_unused_dictionary_entry_do_not_count() -> None:
    """Only rows count: a dictionary may hold entries that no row names."""
    column = pa.DictionaryArray.from_arrays(pa.array([0, None, 0], pa.int8()), pa.array(["4111111111111111", "none"]))
    masked = Fpe(domain="pan").mask(column, GIVEN)
    assert masked.invalid is None
    assert masked.values.null_count == 1
