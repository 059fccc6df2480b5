"""What a contract says of numbers in YAML: a declared format, own IINs, and what lint tells a reviewer of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from masking.formats import PatternFormat
from masking.policy import Severity
from schemas.contract import Contract
from schemas.contract_file import load_contract
from schemas.errors import ContractInvalid
from schemas.lint import lint

GIFTS = """\
table: gifts
about: One row for each gift.
source: shop.gifts
publish: shop.gifts
load: {mode: full}
key: [gift_id]
columns:
  gift_id: {type: int64, class: identifier, mask: {strategy: tokenize, domain: gift}}
"""
KEPT = "class: none, mask: {strategy: keep, why: an article}"


def load(folder: Path, column: str, head: str = "") -> Contract:
    """Returns the contract of gifts with one more column."""
    path = folder / "gifts.yaml"
    path.write_text(f"{head}{GIFTS}  {column}\n", encoding="utf-8")
    return load_contract(path)


def rules(folder: Path, column: str) -> list[tuple[str, Severity]]:
    """Returns what lint finds in the contract with one more column."""
    load(folder, column)
    return [(found.rule, found.severity) for found in lint([folder])]


def test_a_format_is_a_scheme_or_a_pattern_with_a_reason(tmp_path: Path) -> None:
    """Both spellings of `format` reach the column, and what the leak gate lets pass."""
    named = load(tmp_path, f"jan: {{type: string, {KEPT}, format: jan}}")
    assert named.columns["jan"].number == "jan"
    pattern = 'format: {pattern: "2[0-9]{15}", why: numbered by our shop}'
    written = load(tmp_path, f"order_no: {{type: string, {KEPT}, {pattern}}}")
    assert written.columns["order_no"].number == PatternFormat(pattern="2[0-9]{15}", why="numbered by our shop")


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (f"jan: {{type: string, {KEPT}, format: barcode}}", "format"),
        (f'jan: {{type: string, {KEPT}, format: {{pattern: "4[0-9]+"}}}}', "why"),
        (f'jan: {{type: string, {KEPT}, format: {{pattern: "[0-9", why: ours}}}}', "RE2"),
        (f'jan: {{type: string, {KEPT}, format: {{pattern: "[^x]*", why: ours}}}}', "must describe a number"),
        (f"jan: {{type: date, {KEPT}, format: jan}}", "format belongs to kept"),
        ("jan: {type: string, class: none, mask: {strategy: redact}, format: jan}", "format belongs to kept"),
    ],
)
def test_a_format_that_says_nothing_is_refused(tmp_path: Path, column: str, says: str) -> None:
    """A scheme that does not exist, a pattern without reason or number, and a masked or wordless column are refused."""
    with pytest.raises(ContractInvalid, match=says):
        load(tmp_path, column)


@pytest.mark.parametrize("wrong", ["barcode", "7", "[jan]", "{pattern: '4[0-9]+'}"])
def test_a_wrong_format_is_one_problem(tmp_path: Path, wrong: str) -> None:
    """What is neither a scheme nor a pattern is said once, with the schemes named once at most."""
    with pytest.raises(ContractInvalid) as refused:
        load(tmp_path, f"jan: {{type: string, {KEPT}, format: {wrong}}}")
    assert "1 problem:" in refused.value.what
    assert refused.value.what.count("invoice_number") <= 1
    assert [found.rule for found in lint([tmp_path])] == ["KG100"]


def test_own_iins_are_texts_of_six_to_eight_digits(tmp_path: Path) -> None:
    """Leading zeros count, so an IIN is a text; a number, a short one and a long one are refused."""
    column = f"jan: {{type: string, {KEPT}, format: jan}}"
    assert load(tmp_path, column, "own_iins: ['012345', '41111111']\n").own_iins == ("012345", "41111111")
    for wrong in ("[411111]", "['41111']", "['411111111']", "['4111x1']"):
        with pytest.raises(ContractInvalid, match="own_iins"):
            load(tmp_path, column, f"own_iins: {wrong}\n")


def test_a_declared_number_is_told_to_the_reviewer(tmp_path: Path) -> None:
    """KG020 is a note that names the scheme and how many of its values look like cards; it stops nothing."""
    assert rules(tmp_path, f"jan: {{type: string, {KEPT}, format: jan}}") == [("KG020", Severity.NOTE)]
    (found,) = lint([tmp_path])
    assert "a JAN code of Japan" in found.message
    assert "about 1 in 10 values passes Luhn" in found.message
    rules(tmp_path, f"unit: {{type: string, {KEPT}, format: imei}}")
    assert "every value passes Luhn" in lint([tmp_path])[0].message


def test_only_what_is_nobodys_is_declared(tmp_path: Path) -> None:
    """KG021 stops a format on a column of any class but none."""
    column = "jan: {type: string, class: identifier, mask: {strategy: keep, why: an article}, format: jan}"
    assert ("KG021", Severity.ERROR) in rules(tmp_path, column)


def test_no_constant_looks_like_a_card_number(tmp_path: Path) -> None:
    """A contract that writes one into every row is not even read."""
    with pytest.raises(ContractInvalid, match="a constant holds what looks like a card number"):
        rules(tmp_path, "extra: {type: string, class: free_text, mask: {strategy: redact, value: '4111111111111111'}}")


@pytest.mark.parametrize(
    "mask",
    [
        "{strategy: partial, keep_first: 6, keep_last: 4}",
        "{strategy: email_domain, known: [example.jp], other: taro@example.jp}",
        "{strategy: json_fields, fields: {a: {strategy: fpe, format: digits, domain: account}}}",
    ],
)
def test_what_a_mask_writes_of_itself_passes_the_gate(tmp_path: Path, mask: str) -> None:
    """KG022 stops constants, long remainders and tokens inside documents at which the gate would stop the table."""
    kind = "json" if "json" in mask else "string"
    found = rules(tmp_path, f"extra: {{type: {kind}, class: free_text, mask: {mask}}}")
    assert ("KG022", Severity.ERROR) in found
