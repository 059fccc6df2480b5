"""Spellings as they were met in other people's databases, each as it stood there: nothing readable is left of them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from masking.examples import EXAMPLE_DAY, example_keyring
from masking.leaks import LeakKind, count_leaks
from masking.normalize import normalize
from masking.strategies import MaskContext, ScrubText

CARDS = [
    r'{"memo":"\uff14\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11"}',
    r'{"memo":"4111\n1111\n1111\n1111"}',
    r'{"memo":"4111\/1111\/1111\/1111"}',
    r'{"memo":"4111\\n1111\\n1111\\n1111"}',
    r'{"memo":"4111\\\\n1111\\\\n1111\\\\n1111"}',
    r'"{\"memo\":\"4111\\\/1111\\\/1111\\\/1111\"}"',
    r"\\u0034111111111111111",
    r"\\\\u0034111111111111111",
    "4111%25201111%25201111%25201111",
    "4111%5Cn1111%5Cn1111%5Cn1111",
    "4111&amp;nbsp;1111&amp;nbsp;1111&amp;nbsp;1111",
    "4111%26nbsp%3B1111%26nbsp%3B1111%26nbsp%3B1111",
    r"4111\u00261111\u00261111\u00261111",
    r"4111\u0026nbsp;1111\u0026nbsp;1111\u0026nbsp;1111",
    "https://pay.example/cb?pan=4111%201111%201111%201111&mail=x",
    "pan=4111+1111+1111+1111&exp=12%2F27",
    "4111    1111    1111    1111",
    "4111　　　　1111　　　　1111　　　　1111",
    "4111、1111、1111、1111",
    "4111,1111,1111,1111",
    "4111〜1111〜1111〜1111",
    "4111～1111～1111～1111",
    "| 4111 | 1111 | 1111 | 1111 |",
    "(4111)(1111)(1111)(1111)",
    "4111*1111*1111*1111",
    "4111:1111:1111:1111",
    "0004111111111111111",
    "0378282246310005",
    "0000378282246310005",
    "41111111111111112712",
    "4222222222222 in a text",
    "4\ufe0f\u20e31\ufe0f\u20e3" + "1\ufe0f\u20e3" * 14,
    "4111\u200e1111\u200e1111\u200e1111",
    "4111\v1111\f1111\x851111",
]


def scrubbed(text: str) -> str:
    """Returns what scrub_text leaves of a text."""
    result: str = ScrubText().mask(pa.array([text]), MaskContext(example_keyring(), EXAMPLE_DAY)).values[0].as_py()
    return result


@pytest.mark.parametrize("text", CARDS)
def test_a_card_is_found_as_it_was_written(text: str) -> None:
    """The gate stops a kept column, and scrub_text leaves nothing of the number."""
    assert count_leaks(pa.array([text]))[LeakKind.PAN] == 1
    assert "111" not in scrubbed(text).replace("4111,111", "")
    assert "[PAN]" in scrubbed(text)


@pytest.mark.parametrize("text", ["1234    5678    9018", "1234、5678、9018"])
def test_a_my_number_is_found_as_it_was_written(text: str) -> None:
    """Four spaces and Japanese commas part the groups of a My Number as they part those of a card."""
    assert count_leaks(pa.array([text]))[LeakKind.MY_NUMBER] == 1


@pytest.mark.parametrize("text", ["4,111, 1,111", "35.681236, 139.767125", "4901234567894"])
def test_amounts_places_and_barcodes_stay(text: str) -> None:
    """Lists of amounts, coordinates and a JAN code as a whole value are nobody's card."""
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "josé.müller@example.de",
        "kōta.satō@example.jp",
        "taro@例え.みんな",
        "taro@xn--r8jz45g.xn--q9jyb4c",
        "taro@example。jp",
        "taro﹫example.jp",
        r'{"to":"hanako\u0040example.jp"}',
        r'{"to":"hanako\\u0040example.jp"}',
        "mail=hanako%40example.jp",
        "mail=han%61ko@example.jp",
        "mail=hanako@ex%61mple.jp",
    ],
)
def test_an_address_goes_as_it_was_written(text: str) -> None:
    """No part of a name or of a domain stays."""
    left = scrubbed(text)
    assert "[EMAIL]" in left
    assert not any(
        part in left for part in ("jos", "ller", "tar", "sat", "hana", "ko", "example", "xn--", "例え", "jp")
    )


@pytest.mark.parametrize(
    "text",
    [
        "819012345678",
        "81-90-1234-5678",
        "(0)90-1234-5678",
        "090/1234/5678",
        "090～1234～5678",
        "090の1234の5678",
        "090-1234-\n5678",
    ],
)
def test_a_phone_is_found_and_normalized_as_it_was_written(text: str) -> None:
    """What the gate finds as a whole value the normalizer reads, as one number."""
    assert count_leaks(pa.array([text]))[LeakKind.PHONE] == 1
    assert (
        normalize(pa.array([text]), ("jp_phone",)).to_pylist()
        == normalize(pa.array(["090-1234-5678"]), ("jp_phone",)).to_pylist()
    )


def test_an_encoded_phone_is_found() -> None:
    """A plus that form encoding wrote is a plus."""
    assert count_leaks(pa.array(["tel=%2B81-90-1234-5678", "tel=%2B819012345678"]))[LeakKind.PHONE] == 2
