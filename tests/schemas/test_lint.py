"""kagemusha lint finds what is wrong with contracts, says where as compilers do, and writes what other tools read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

import schemas.lint
from etl.cli.lint import lint as lint_command
from masking.policy import RULES, Profile
from schemas.contract_file import BUNDLED
from schemas.errors import ContractInvalid
from schemas.lint import Located, ReadContract, lint, read_contract
from schemas.lint_report import Format, report

CARDS = """\
table: cards
about: One row for each card.
source: issuing.cards
publish: issuing.cards
load: {mode: full}
key: [card_id]
columns:
  card_id: {type: int64, class: identifier, mask: {strategy: tokenize, domain: card}}
  pan:     {type: string, class: pan, mask: {strategy: fpe, domain: pan}}
  cvv2:    {type: string, class: sensitive_authentication, mask: {strategy: drop}}
"""
PAYMENTS = """\
table: payments
about: One row for each payment.
source: issuing.payments
publish: issuing.payments
load: {mode: full}
key: [payment_id]
joins:
  card_id: cards.card_id
columns:
  payment_id: {type: int64, class: identifier, mask: {strategy: tokenize, domain: payment}}
  card_id:    {type: int64, class: identifier, mask: {strategy: tokenize, domain: card}}
  memo:       {type: string, class: free_text, mask: {strategy: scrub_text}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns a folder with two clean contracts that join."""
    (tmp_path / "cards.yaml").write_text(CARDS, encoding="utf-8")
    (tmp_path / "payments.yaml").write_text(PAYMENTS, encoding="utf-8")
    return tmp_path


def change(folder: Path, old: str, new: str, table: str = "cards") -> Path:
    """Replaces a piece of a contract and gives its path."""
    path = folder / f"{table}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def places(found: tuple[Located, ...]) -> list[tuple[str, str, int, int]]:
    """Returns rule, file, line and column of each finding."""
    return [(finding.rule, Path(finding.path).name, finding.line, finding.column) for finding in found]


def test_the_bundled_contracts_are_clean() -> None:
    """No contract that ships with the package breaks a rule."""
    assert lint([BUNDLED]) == ()


def test_clean_contracts_give_nothing(folder: Path) -> None:
    """Contracts that keep the rules give no finding, under each path that names them."""
    assert lint([folder]) == lint([folder / "cards.yaml", folder / "payments.yaml"]) == ()


def test_a_finding_points_at_the_mask(folder: Path) -> None:
    """A refused strategy is reported at line and column of the column's mask."""
    change(
        folder,
        "class: sensitive_authentication, mask: {strategy: drop}",
        "class: sensitive_authentication, mask: {strategy: 'null'}",
    )
    assert places(lint([folder])) == [("KG001", "cards.yaml", 10, 60)]


def test_a_finding_about_a_join_points_at_the_join(folder: Path) -> None:
    """A join of unlike tokens is reported at the line that promises the join."""
    change(folder, "domain: card}", "domain: member}")
    assert places(lint([folder])) == [("KG008", "payments.yaml", 8, 3)]


@pytest.mark.parametrize(
    ("key", "nullable", "rules"), [("card_id", "", []), ("pan", ", nullable: false", []), ("pan", "", ["KG014"])]
)
def test_a_row_of_fpe_tokens_names_its_key_version(folder: Path, key: str, nullable: str, rules: list[str]) -> None:
    """A tokenized column of the key, or one that is never null, names the version; one that may be missing does not."""
    change(folder, "key: [card_id]", f"key: [{key}]")
    change(
        folder, "mask: {strategy: tokenize, domain: card}}", f"mask: {{strategy: tokenize, domain: card}}{nullable}}}"
    )
    assert [finding.rule for finding in lint([folder])] == rules


def test_only_the_named_files_are_reported_but_neighbors_count(folder: Path) -> None:
    """A single file is judged with the contracts beside it, and findings about those are left out."""
    change(folder, "domain: card}", "domain: member}")
    assert places(lint([folder / "payments.yaml"])) == [("KG008", "payments.yaml", 8, 3)]
    assert lint([folder / "cards.yaml"]) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "words"),
    [
        ("type: int64", "type: integer", 8, 13, "types table"),
        ("class: pan", "class: card", 9, 27, "class"),
        ("domain: pan", "realm: pan", 9, 39, "missing"),
        ("strategy: fpe", "strategy: md5", 9, 39, "md5"),
        ("about: One", "abuot: One", 2, 1, "no such key"),
        ("key: [card_id]", "key: [id]", 6, 1, "not published"),
        ("key: [card_id]", "key: [card_id", 7, 1, "YAML"),
        ("key: [card_id]", "key: &k [card_id]", 6, 1, "anchor"),
        ("  pan:     {", "  card_id: {", 9, 1, "repeats"),
        ("table: cards", "table: card", 1, 1, "card.yaml"),
    ],
)
def test_a_contract_that_does_not_fit_is_located(
    folder: Path, old: str, new: str, line: int, column: int, words: str
) -> None:
    """Every breach of the model is KG100 with its place; nothing is raised."""
    path = change(folder, old, new)
    found = [finding for finding in lint([path]) if finding.rule == "KG100"]
    assert any(finding.line == line and words in finding.message for finding in found), places(tuple(found))
    assert column in {finding.column for finding in found}


def test_what_is_no_file_costs_its_own_table(folder: Path) -> None:
    """A folder named like a contract, or a link to nowhere, is one finding; the others are judged."""
    (folder / "x.yaml").mkdir()
    (folder / "y.yaml").symlink_to(folder / "nowhere")
    change(folder, "domain: card}", "domain: member}")
    assert places(lint([folder])) == [
        ("KG008", "payments.yaml", 8, 3),
        ("KG100", "x.yaml", 1, 1),
        ("KG100", "y.yaml", 1, 1),
    ]


def test_two_contracts_of_one_published_table_are_found(folder: Path) -> None:
    """A second contract that publishes the same table is reported at its `publish`."""
    change(folder, "publish: issuing.payments", "publish: issuing.cards", "payments")
    assert places(lint([folder])) == [("KG100", "payments.yaml", 4, 1)]


def test_the_profile_decides_about_reversible_strategies(folder: Path) -> None:
    """Under the profile `pseudonymized` each reversible mask is an error."""
    assert {finding.rule for finding in lint([folder], Profile.PSEUDONYMIZED)} == {"KG010"}


def test_a_path_without_contracts_is_refused(tmp_path: Path) -> None:
    """A typing error in a path never looks like a clean result."""
    for path in (tmp_path, tmp_path / "cards.yaml"):
        with pytest.raises(ContractInvalid):
            lint([path])


def _run(*arguments: str) -> tuple[int, str]:
    app = Typer()
    app.command()(lint_command)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout


def test_the_command_ends_with_2_on_errors_only(folder: Path) -> None:
    """Exit code 0 without errors, warnings included; 2 when a contract must change."""
    assert _run(str(folder)) == (0, "0 errors, 0 warnings\n")
    change(
        folder,
        "class: free_text, mask: {strategy: scrub_text}",
        "class: none, mask: {strategy: keep, why: fixed codes}",
        "payments",
    )
    code, text = _run(str(folder))
    assert code == 0
    assert text.endswith("0 errors, 1 warning\n")
    change(
        folder, "class: pan, mask: {strategy: fpe, domain: pan}", "class: pan, mask: {strategy: partial, keep_last: 4}"
    )
    code, text = _run(str(folder))
    assert code == 2
    assert text.startswith(f"{folder}/cards.yaml:9:")
    assert "error KG002" in text
    assert "3.5.1" in text


def test_json_holds_every_field(folder: Path) -> None:
    """`--format json` is a list of findings with path, place, rule, severity, message, clause and advice."""
    change(folder, "strategy: drop", "strategy: redact")
    code, text = _run(str(folder), "--format", "json")
    assert code == 2
    (finding,) = json.loads(text)
    assert (finding["rule"], finding["line"], finding["severity"]) == ("KG001", 10, "error")
    assert finding["clause"] == RULES["KG001"].clause
    assert finding["todo"]


def test_sarif_names_rules_and_places(folder: Path) -> None:
    """`--format sarif` is SARIF 2.1.0: each result names a described rule, a level and a region."""
    change(folder, "strategy: drop", "strategy: redact")
    log = json.loads(_run(str(folder), "--format", "sarif")[1])
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    (result,) = run["results"]
    assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 10, "startColumn": 60}


def test_github_annotations_are_escaped() -> None:
    """A workflow command keeps its shape whatever stands in path and message."""
    found = Located("a,b:c.yaml", 3, 5, "KG001", "error", "50%\nmore", "a clause", "Do it.")
    assert report([found], Format.GITHUB) == (
        "::error file=a%2Cb%3Ac.yaml,line=3,col=5,title=KG001::50%25%0Amore. Do it. [a clause]"
    )


@pytest.mark.parametrize("publish", ["ops.leases", "ops.token_map_member", "looker.daily_gmv"])
def test_the_datasets_of_the_product_are_no_destination(folder: Path, publish: str) -> None:
    """A contract that publishes over the ledger, a token map or a view is reported at its `publish`."""
    change(folder, "publish: issuing.cards", f"publish: {publish}")
    assert places(lint([folder])) == [("KG103", "cards.yaml", 4, 1)]


def test_a_contract_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Policy and views are judged by one reading of each file, however often its folder is named."""
    read: list[str] = []

    def counted(path: Path) -> ReadContract:
        read.append(path.name)
        return read_contract(path)

    monkeypatch.setattr(schemas.lint, "read_contract", counted)
    (folder / "views").mkdir()
    (folder / "views" / "clean.sql").write_text("-- about: A view.\nSELECT * FROM issuing.cards;\n", encoding="utf-8")
    assert lint([folder, folder / "cards.yaml"]) == ()
    assert sorted(read) == ["cards.yaml", "payments.yaml"]


def test_views_are_judged_with_their_folder(folder: Path) -> None:
    """A view that reads the ledger, does two things or has a name of capitals is reported; a clean one is not."""
    (folder / "views").mkdir()
    for name, sql in {
        "clean": "SELECT * FROM issuing.cards;",
        "leases": "SELECT * FROM ops.leases",
        "two": "SELECT 1; SELECT 2",
        "Clean": "SELECT 1",
    }.items():
        (folder / "views" / f"{name}.sql").write_text(f"-- about: A view.\n{sql}\n", encoding="utf-8")
    assert places(lint([folder])) == [
        ("KG104", "Clean.sql", 1, 1),
        ("KG104", "leases.sql", 1, 1),
        ("KG104", "leases.sql", 1, 1),
        ("KG104", "two.sql", 1, 1),
    ]
    assert lint([folder / "cards.yaml"]) == ()
