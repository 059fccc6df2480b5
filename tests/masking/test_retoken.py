"""Tokens come under the primary key version as if their rows had been masked anew, and nothing else changes."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import KeyUnusable
from masking.examples import EXAMPLE_DAY, example_keyring
from masking.keyring import Keyring
from masking.retoken import TokensUnreadable, retokened
from masking.strategies import Fpe, KeyedStrategy, MaskContext, Tokenize

OLD = example_keyring()
KEYS = OLD.rotated("2023-09-01T00:00:00Z").activated(2)
NEWEST = KEYS.rotated("2023-10-01T00:00:00Z").activated(3)
STRATEGIES: dict[str, KeyedStrategy] = {
    "member_id": Tokenize(domain="member"),
    "phone": Tokenize(domain="phone", normalize=("jp_phone",)),
    "blob": Tokenize(domain="blob"),
    "pan": Fpe(domain="pan"),
    "short": Fpe(domain="pan", keep_last=4),
}
CARD, OTHER = "4111111111111111", "5555555555554444"
RAW = {
    "member_id": pa.array([42, 7, None, 42], pa.int64()),
    "phone": pa.array(["090-1234-5678", None, "+81 90 1234 5678", None]),
    "blob": pa.array([b"\xff\x00", b"", b"a", None]),
    "pan": pa.array([CARD, OTHER, None, CARD]),
    "short": pa.array([None, OTHER, CARD, CARD]),
}


def masked(keys: Keyring, raw: dict[str, pa.Array] = RAW) -> pa.RecordBatch:
    """Returns rows as a daily load under the primary version publishes them, with a column that is kept."""
    tokens = {
        name: STRATEGIES[name].mask(column, MaskContext(keys, EXAMPLE_DAY)).values for name, column in raw.items()
    }
    return pa.record_batch({**tokens, "kept": pa.array(range(len(next(iter(raw.values())))))})


@pytest.mark.parametrize("keys", [KEYS, NEWEST])
def test_the_result_is_what_a_load_from_the_source_would_give(keys: Keyring) -> None:
    """Rows of an old version become, byte for byte, what masking the raw rows under the primary gives."""
    assert retokened(masked(OLD), STRATEGIES, keys).equals(masked(keys))


def test_current_rows_stay_and_versions_may_be_mixed() -> None:
    """A batch may hold rows of several versions; rows of the primary stay, and doing it twice changes nothing."""
    parts = [masked(OLD), masked(NEWEST), masked(KEYS)]
    mixed = pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
    wanted = pa.Table.from_batches([masked(NEWEST)] * 3).combine_chunks().to_batches()[0]
    once = retokened(mixed, STRATEGIES, NEWEST)
    assert once.equals(wanted)
    assert retokened(once, STRATEGIES, NEWEST).equals(wanted)
    assert retokened(mixed.slice(3, 6), STRATEGIES, NEWEST).equals(wanted.slice(3, 6))
    assert retokened(mixed.slice(0, 0), STRATEGIES, NEWEST).num_rows == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=20), max_size=12))
def test_any_text_keeps_its_identity(texts: list[str | None]) -> None:
    """Whatever the value was, its new token is the primary version's own token of it."""
    raw = {"member_id": pa.array(texts, pa.string())}
    strategies = {"member_id": STRATEGIES["member_id"]}
    assert retokened(masked(OLD, raw), strategies, KEYS).equals(masked(KEYS, raw))


def test_retired_versions_are_read_and_destroyed_ones_refused() -> None:
    """Rotation ends with old versions that only read; after their destruction nothing can be rewritten."""
    retired = KEYS.retired(1)
    assert retokened(masked(OLD), STRATEGIES, retired).equals(masked(KEYS))
    with pytest.raises(KeyUnusable, match="Key version 1 was destroyed"):
        retokened(masked(OLD), STRATEGIES, retired.destroyed(1))


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("member_id", "42", "1 values of member_id are no tokens"),
        (
            "member_id",
            "k1_00000000000000000000000000000000",
            "1 values are no tokens of domain member under key version 1",
        ),
        ("member_id", masked(KEYS).column("member_id")[0].as_py(), "1 values of phone are of another key version"),
        ("pan", CARD, "1 values are no tokens of domain pan under key version 1"),
    ],
    ids=["raw", "no token", "another version", "card number"],
)
def test_what_is_no_token_stops_the_batch_without_showing_it(column: str, value: str, says: str) -> None:
    """A raw value, a forged token or a row of two versions is refused by count and column, never shown."""
    batch = masked(OLD)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns[column] = pa.array([value, *columns[column].to_pylist()[1:]])
    with pytest.raises(TokensUnreadable, match=says) as caught:
        retokened(pa.record_batch(columns), STRATEGIES, KEYS)
    assert value not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_row_without_a_token_that_names_its_version_is_refused() -> None:
    """An fpe token alone does not tell its key version, and a guess would destroy it."""
    strategies = {name: STRATEGIES[name] for name in ("member_id", "pan")}
    batch = masked(OLD, {"member_id": pa.array([None], pa.int64()), "pan": pa.array([CARD])})
    with pytest.raises(TokensUnreadable, match="1 tokens have no key version"):
        retokened(batch, strategies, KEYS)
