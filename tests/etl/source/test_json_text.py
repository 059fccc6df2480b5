"""JSON has one spelling, whichever engine it comes from: PostgreSQL's own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.source.json_text import canonical
from scripts.local_stack.local_stack import Endpoints

pytestmark = pytest.mark.stack
_TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
_NUMBERS = st.one_of(st.integers(-(10**40), 10**40), st.decimals(-(10**6), 10**6, places=3).map(float), st.just(-0.0))
_DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXT, inner, max_size=4)),
    max_leaves=12,
)
SPELLINGS = [
    '{"b": 1, "aa": 2, "a": 1.10}', '{"a":1,"a":2}', "1e2", "1.50E-3", "-0", "-0.0", "1.0e1",
    '"\\u00e9\\ud83c\\udf63\\u0001/"',
    "[ ]", "{ }", '"\\\\ \\" \\b\\f\\n\\r\\t \x7f"', "1E400", " null ", "123456789012345678901234567890.123456789",
]  # fmt: skip


@pytest.fixture(scope="module")
def postgres(stack: Endpoints) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Yields a session on the primary."""
    with psycopg.connect(stack.primary_url, autocommit=True) as connection:
        yield connection


def spelled(connection: psycopg.Connection[tuple[object, ...]], texts: list[str]) -> list[object]:
    """Returns PostgreSQL's spelling of JSON texts."""
    rows = connection.execute(
        "SELECT t::jsonb::text FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n", [texts]
    )
    return [text for (text,) in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(_DOCUMENTS, min_size=1, max_size=10))
def test_it_is_what_jsonb_prints(postgres: psycopg.Connection[tuple[object, ...]], documents: list[object]) -> None:
    """Keys, spaces, numbers and escapes are those of PostgreSQL, whatever the document."""
    texts = [json.dumps(document, ensure_ascii=number % 2 == 0) for number, document in enumerate(documents)]
    found, unfit = canonical(pa.array(texts))
    assert unfit == 0
    assert found.to_pylist() == spelled(postgres, texts)


def test_spellings_that_documents_do_not_have(postgres: psycopg.Connection[tuple[object, ...]]) -> None:
    """Equal keys, exponents, trailing zeros and escapes come out as PostgreSQL writes them."""
    assert canonical(pa.array(SPELLINGS))[0].to_pylist() == spelled(postgres, SPELLINGS)


def test_what_has_no_spelling_is_counted() -> None:
    """No JSON, half of a surrogate pair, and numbers of a length that nobody can read become null and are counted."""
    found, unfit = canonical(pa.array(["{", '"\\ud800"', "NaN", "1e99999", None, "1"]))
    assert (found.to_pylist(), unfit) == ([None, None, None, None, None, "1"], 4)
