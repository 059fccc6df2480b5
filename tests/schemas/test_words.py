"""What a contract says about itself may be said in two languages, and is one contract all the same."""

from __future__ import annotations

import json
import pickle

import pytest
import yaml
from pydantic import ValidationError

from schemas.contract import Contract
from schemas.contract_file import load_contracts
from schemas.view_file import load_views
from schemas.words import ALL_LANGUAGES, Text

PLAIN = """\
table: cards
about: One row for each card.
source: issuing.cards
publish: issuing.cards
load: {mode: full}
key: [card_id]
columns:
  card_id: {type: int64, class: identifier, mask: {strategy: tokenize, domain: card}, about: Names a card.}
"""
BOTH = PLAIN.replace("about: One row for each card.", "about: {en: One row for each card., ja: カード1枚に1行。}")


def contract(text: str) -> Contract:
    """Returns the contract of a YAML text."""
    return Contract.model_validate(yaml.safe_load(text))


def test_a_text_is_read_in_either_form() -> None:
    """A plain string is a text in every language; two languages are told apart, and English is what others see."""
    assert contract(PLAIN).about.in_language("ja") == "One row for each card."
    assert contract(BOTH).about.in_language("ja") == "カード1枚に1行。"
    assert contract(BOTH).about == "One row for each card."


@pytest.mark.parametrize(
    "written", ["{en: A row.}", "{ja: 行。}", "{en: A row., ja: ''}", "{en: A., fr: B., ja: C.}", "7"]
)
def test_half_a_translation_is_refused(written: str) -> None:
    """A text has both languages or is a plain string."""
    with pytest.raises(ValidationError, match="one in each language"):
        contract(PLAIN.replace("One row for each card.", written))


def test_an_empty_text_of_a_table_is_refused() -> None:
    """A table says what a row is."""
    with pytest.raises(ValidationError, match="about"):
        contract(PLAIN.replace("One row for each card.", "''"))


def test_a_translation_and_an_owner_change_no_digest() -> None:
    """Rows do not change with words or with who answers for them, so no table is loaded anew because of them."""
    owned = contract(BOTH + "owner: cards\n")
    assert owned.digest == contract(PLAIN).digest
    assert contract(PLAIN.replace("each card", "every card")).digest != owned.digest


def test_both_languages_survive_being_written_and_sent() -> None:
    """A contract that is kept beside a run, or travels to a worker, still knows its Japanese."""
    written = json.dumps(contract(BOTH).model_dump(mode="json", by_alias=True, context=ALL_LANGUAGES))
    assert Contract.model_validate(json.loads(written)).about.ja == "カード1枚に1行。"
    assert pickle.loads(pickle.dumps(contract(BOTH))).about.ja == "カード1枚に1行。"  # noqa: S301  our own bytes


def test_the_longer_language_is_measured() -> None:
    """BigQuery's limit of a description holds for whichever language is published."""
    assert Text("ab", "あいう").longest == "あいう"
    with pytest.raises(ValidationError, match=r"columns\.card_id\.about has 1,025 characters"):
        contract(BOTH.replace("about: Names a card.", f"about: {{en: Names a card., ja: {'あ' * 1025}}}"))


def test_every_bundled_word_is_there_in_japanese() -> None:
    """Tables, described columns and views of the package are described in both languages."""
    for one in load_contracts().values():
        texts = [one.about, *(one.about_column(name) for name in one.published)]
        assert all(text.ja for text in texts if text), one.table
    assert all(view.about.ja for view in load_views())


def test_a_contract_as_it_is_written_is_the_same_contract() -> None:
    """What was said of each bundled contract, and nothing else, makes a contract of the same meaning."""
    for one in load_contracts().values():
        said = one.model_dump(mode="json", by_alias=True, context=ALL_LANGUAGES, exclude_unset=True)
        again = Contract.model_validate(json.loads(json.dumps(said)))
        assert again.digest == one.digest
        assert again.about.ja == one.about.ja
