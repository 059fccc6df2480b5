"""A kept column says why it may be seen, in one language or in each."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from masking.strategies import Keep
from masking.words import ALL_LANGUAGES


def test_a_reason_is_said_in_each_language_and_is_its_english() -> None:
    """A translation changes nothing that is compared; it is written where every language is asked for."""
    told = Keep.model_validate({"strategy": "keep", "why": {"en": " five codes ", "ja": "5種のコード"}})
    assert (told.why, told.why.ja) == ("five codes", "5種のコード")
    assert told == Keep.model_validate({"strategy": "keep", "why": "five codes"})
    assert told.model_dump(mode="json")["why"] == "five codes"
    whole = told.model_dump(mode="json", context=ALL_LANGUAGES)
    assert whole["why"] == {"en": "five codes", "ja": "5種のコード"}
    assert Keep.model_validate(whole).why.ja == "5種のコード"


@pytest.mark.parametrize("why", ["", "  a ", {"en": "five codes", "ja": " 五 "}, {"en": "five codes"}, 7])
def test_a_reason_that_says_nothing_is_refused(why: object) -> None:
    """Less than three characters, or a language that is missing, is no reason."""
    with pytest.raises(ValidationError):
        Keep.model_validate({"strategy": "keep", "why": why})
