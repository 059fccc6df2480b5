"""The catalogs of words: each language says everything, with the same values, and nothing that nobody asks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, get_args

import pytest

from etl.reports.facts.masks import mask_said
from etl.reports.facts.said import said
from etl.reports.proof.requirements import REQUIREMENTS
from etl.reports.words.wording import wording
from masking.policy import POLICY, ColumnClass
from masking.strategies import AnyStrategy, Strategy
from schemas.contract_file import load_contracts
from schemas.exposure import Effect

ROOT = Path(__file__).parents[3]
KINDS: Final[tuple[type[Strategy], ...]] = get_args(get_args(AnyStrategy)[0])
FAMILIES: Final = (
    "mask.", "class.", "fate.", "comparison.", "requirement.", "found.", "missing.", "step.", "runs.outcome_",
    "runs.state_", "evidence.state_", "evidence.proof_", "evidence.back_", "evidence.key_", "evidence.standard_",
    "catalog.mode_", "catalog.erasure_", "check.", "origin.", "event.", "clause.",
)  # fmt: skip
"""Keys whose last part is put together: of a mask, a class, a state."""
ENGLISH, JAPANESE = wording("en"), wording("ja")


def test_languages_have_the_same_keys_and_values() -> None:
    """No sentence is missing in a language, and none loses a value."""
    assert ENGLISH.texts.keys() == JAPANESE.texts.keys()
    for key, text in ENGLISH.texts.items():
        values = [set(re.findall(r"{(\w+)}", one)) for one in (text, JAPANESE.texts[key])]
        assert values[0] == values[1], key


def test_japanese_is_japanese() -> None:
    """Every sentence of the Japanese catalog is written in Japanese, but for names."""
    names = {"site.language", "site.language_code", "evidence.standard_pci", "event.other"}
    latin = [key for key, text in JAPANESE.texts.items() if not re.search(r"[ぁ-んァ-ヶ一-龠]", text)]
    numbers = {key for key in latin if re.fullmatch(r"PCI DSS v4\.0\.1 [\d., ]+", JAPANESE.texts[key])}
    assert set(latin) - numbers <= names


def test_every_mask_class_and_effect_has_words() -> None:
    """Whatever a contract may choose can be said."""
    for language in (ENGLISH, JAPANESE):
        for contract in load_contracts().values():
            assert all(language.say(mask_said(column.mask)) for column in contract.columns.values())
        assert all(f"class.{one.value}" in language.texts for one in ColumnClass)
        assert all(f"comparison.{one.value}" in language.texts for one in Effect)
        assert all(
            f"requirement.{one.key}.{part}" in language.texts
            for one in REQUIREMENTS
            for part in ("title", "asks", "gap")
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_every_strategy_has_words(kind: type[Strategy]) -> None:
    """Each strategy's examples can be said in both languages."""
    for example in kind.examples:
        mask = kind.model_validate({"strategy": kind.model_fields["strategy"].default, **example.parameters})
        assert ENGLISH.say(mask_said(mask)) != JAPANESE.say(mask_said(mask))


def test_clauses_are_those_of_the_policy() -> None:
    """Each class with a clause has it in words, and the English ones are the policy's own."""
    for kind, policy in POLICY.items():
        assert ENGLISH.texts.get(f"clause.{kind.value}", "") == policy.clause


def test_no_word_is_left_over() -> None:
    """Each key stands in the code or a template, whole or by its last part; families are asked for by their stem."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("etl/reports", "etl/site", "etl/cli")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".html"}
    )
    for key in ENGLISH.texts:
        last = key.rsplit(".", 1)[1]
        assert key.startswith(FAMILIES) or key in code or f'"{last}"' in code, key


def test_numbers_get_separators() -> None:
    """Counts are readable in every sentence."""
    assert ENGLISH.say(said("found.signed", signed=1200, rows=34567)).startswith("1,200 of 34,567")
