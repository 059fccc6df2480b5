"""The public API of tokens makes what the pipeline's mask makes, for whatever type a program has the value in."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from pydantic import ValidationError

from masking.errors import KeyUnusable
from masking.examples import EXAMPLE_DAY
from masking.keyring import Keyring
from masking.strategies import Fpe, KeyedStrategy, MaskContext, Pseudonymize, Tokenize
from masking.tokens import ValuesUnread, token, tokens

NOW = "2023-08-31T01:00:00+09:00"
KEYS = Keyring.create(NOW)
MEMBER = Tokenize(domain="member")
PHONE = Pseudonymize(domain="phone", normalize=("jp_phone",))


def published(column: pa.Array, mask: KeyedStrategy, keys: Keyring = KEYS) -> list[str | None]:
    """Returns what a load publishes for a column."""
    made: list[str | None] = mask.mask(column, MaskContext(keys, EXAMPLE_DAY)).values.to_pylist()
    return made


@pytest.mark.parametrize("value", [42, "42", Decimal("42.00")])
def test_a_number_and_its_digits_are_one_token(value: int | str | Decimal) -> None:
    """An app that has the member's number as text gets what a table with whole numbers publishes."""
    assert token(value, KEYS, MEMBER) == published(pa.array([42]), MEMBER)[0]


@pytest.mark.parametrize("spelled", ["090-1234-5678", "０９０－１２３４－５６７８", "+81 90 1234 5678"])
def test_spellings_meet_as_the_contract_says(spelled: str) -> None:
    """Full width, separators and country codes are normalized by the mask's own steps."""
    assert token(spelled, KEYS, PHONE) == published(pa.array(["09012345678"]), PHONE)[0]


@pytest.mark.parametrize("mask", [MEMBER, PHONE, Fpe(domain="pan", format="pan")], ids=lambda mask: str(mask.strategy))
def test_a_batch_is_a_column(mask: KeyedStrategy) -> None:
    """Many values come back in their order, None as None, whatever keyed strategy the contract has."""
    cards, phones = ["4111111111111111", None, "5555555555554444"], ["0312345678", None, "0451234567"]
    values = cards if isinstance(mask, Fpe) else phones
    assert tokens(values, KEYS, mask) == published(pa.array(values), mask)
    assert tokens([], KEYS, mask) == []


def test_tokens_follow_the_keys_version() -> None:
    """A rotated key makes other tokens once it is in use; until the app follows, it names the old version."""
    pending = KEYS.rotated(NOW)
    assert token(42, pending, MEMBER) == token(42, KEYS, MEMBER)
    rotated = pending.activated(2)
    assert token(42, rotated, MEMBER) != token(42, KEYS, MEMBER)
    assert token(42, rotated, MEMBER, version=1) == token(42, KEYS, MEMBER)


def test_a_destroyed_key_makes_no_token() -> None:
    """Nor does a retired or an unknown one."""
    rotated = KEYS.rotated(NOW).activated(2)
    for keys, version in ((rotated.retired(1), 1), (rotated.retired(1).destroyed(1), 1), (KEYS, 7)):
        with pytest.raises(KeyUnusable):
            token(42, keys, MEMBER, version=version)


def test_a_wrong_domain_is_another_token_or_none() -> None:
    """Domains are unlinkable, and what is no name of a domain is refused."""
    assert token(42, KEYS, Tokenize(domain="card")) != token(42, KEYS, MEMBER)
    with pytest.raises(ValidationError):
        Tokenize(domain="Member!")


@pytest.mark.parametrize("values", [["0312345678", "090secret"], ["0312345678", 42], [object()], [2**70]])
def test_an_error_holds_no_value(values: list[object]) -> None:
    """What cannot be read stops the batch; the error counts and keeps nothing of Arrow's own text."""
    with pytest.raises(ValuesUnread) as refused:
        tokens(values, KEYS, PHONE)  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)
    assert refused.value.__context__ is None
    with pytest.raises(ValuesUnread):
        token("", KEYS, PHONE)


def test_dates_and_flags_have_tokens_too() -> None:
    """Every type of the rule of canonical text is taken."""
    assert token(date(2023, 8, 31), KEYS, MEMBER) == token("2023-08-31", KEYS, MEMBER)
    assert token(True, KEYS, MEMBER) == token("true", KEYS, MEMBER)  # noqa: FBT003  a value
    assert token(b"42", KEYS, MEMBER) == token("42", KEYS, MEMBER)


def test_a_million_tokens_take_less_than_a_second_of_the_processor() -> None:
    """A list of a million numbers becomes a list of tokens; the best of three, since others use the machine too."""
    values, spent = list(range(10_000_000, 11_000_000)), []
    for _ in range(3):
        begun = time.process_time()
        made = tokens(values, KEYS, MEMBER)
        spent.append(time.process_time() - begun)
    assert made[0] == token(10_000_000, KEYS, MEMBER)
    assert min(spent) < 1
