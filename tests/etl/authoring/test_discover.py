"""`kagemusha discover` proposes contracts that run as they stand, and never one that shows a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from schemas.contract_file import load_contract, load_contracts
from schemas.lint import lint
from tests.etl.conftest import Issuer

pytestmark = pytest.mark.stack

SCHEMAS = ("issuing", "ledger", "collections", "community", "messaging", "ops_admin")
KAIIN = """\
CREATE SCHEMA kaiin;
CREATE TABLE kaiin."会員" (
    "会員番号" bigint PRIMARY KEY, shimei text, denwa_bangou text, "住所" text, seinengappi date, c1 text, c2 text,
    c3 text, kingaku numeric(10,0) NOT NULL, toroku_nichiji timestamptz NOT NULL
);
COMMENT ON TABLE kaiin."会員" IS '会員: 一人一行';
COMMENT ON COLUMN kaiin."会員".c3 IS '本人の電話';
CREATE TABLE kaiin.kaiin_card (kaiin_no bigint, kado_no text, kubun varchar(2), PRIMARY KEY (kaiin_no));
INSERT INTO kaiin."会員" SELECT n, '山田 太郎', '090-1234-5678', '東京都渋谷区', '1990-01-01', '佐藤 花子',
    CASE WHEN n % 10 = 0 THEN 'tel 090-1234-5678' ELSE 'ok' END, '', 100, now() FROM generate_series(1, 300) n;
CREATE VIEW kaiin.card_view AS SELECT * FROM kaiin.kaiin_card;
GRANT USAGE ON SCHEMA kaiin TO etl_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA kaiin TO etl_reader
"""


def run(issuer: Issuer, *arguments: str) -> tuple[int, str, str]:
    """Runs a command; gives its exit code, what it prints and what it says of errors."""
    result = CliRunner().invoke(app, [*arguments, "--settings", str(issuer.ends.settings)])
    return result.exit_code, result.stdout, result.stderr


def test_the_whole_issuer_gets_contracts_that_agree_with_it(issuer: Issuer, tmp_path: Path) -> None:
    """Six schemas, sixteen tables, no word by hand: valid, clean for the linter, free of drift, and nobody is shown."""
    for schema in SCHEMAS:
        code, _, errors = run(
            issuer, "discover", schema, "--all", "--into", str(tmp_path), "--contracts", str(tmp_path)
        )
        assert (code, errors) == (0, "")
    proposed, reviewed = load_contracts(tmp_path), load_contracts()
    assert set(proposed) == set(reviewed)
    assert lint([tmp_path]) == ()
    assert run(issuer, "drift", "--contracts", str(tmp_path))[0] == 0
    for name, contract in proposed.items():
        assert contract.key == reviewed[name].key
        shown = {column for column, one in contract.columns.items() if one.kept}
        hidden = {column for column, one in reviewed[name].columns.items() if one.column_class != "none"}
        assert not shown & hidden


@pytest.fixture
def kaiin(issuer: Issuer) -> Iterator[None]:
    """Adds a schema with Japanese names, and takes it away again."""
    issuer.source(KAIIN)
    yield
    issuer.source("DROP SCHEMA kaiin CASCADE")


@pytest.mark.usefixtures("kaiin")
def test_japanese_tables_and_what_needs_a_person(issuer: Issuer, tmp_path: Path) -> None:
    """Names in any script are understood and published under Latin ones; a table without a key asks for a person."""
    code, text, errors = run(issuer, "discover", "kaiin.会員", "--as", "members_jp")
    assert (code, errors) == (0, "")
    assert "key: [member_number]" in text
    assert '"会員番号":' in text
    assert "publish_as: member_number" in text
    code, text, _ = run(issuer, "discover", "kaiin.会員", "--as", "members_jp", "--key", "toroku_nichiji")
    path = tmp_path / "members_jp.yaml"
    path.write_text(text, encoding="utf-8")
    contract = load_contract(path)
    assert (code, lint([path])) == (0, ())
    assert contract.about == "会員: 一人一行"
    assert {name: one.column_class.value for name, one in contract.columns.items()} == {
        "会員番号": "identifier", "shimei": "person_name", "denwa_bangou": "phone", "住所": "address",
        "seinengappi": "birth_date", "c1": "free_text", "c2": "free_text", "c3": "phone", "kingaku": "none",
        "toroku_nichiji": "none",
    }  # fmt: skip
    assert set(contract.selected) == {"member_number", "seinengappi", "kingaku", "toroku_nichiji"}
    code, text, errors = run(issuer, "discover", "kaiin", "--all")
    assert code == 2
    assert "kaiin.card_view has no key in the catalogue." in errors
    assert "# kaiin_card.yaml" in text
    assert "kado_no:  {type: string, class: pan, mask: {strategy: drop}}" in text
    assert run(issuer, "discover", "kaiin.card_view", "--key", "kaiin_no")[0] == 0


@pytest.mark.usefixtures("kaiin")
def test_a_sample_shows_counts_and_no_value(issuer: Issuer) -> None:
    """Values tell what nameless columns hold: counted in the comment, never quoted."""
    code, text, errors = run(
        issuer, "discover", "kaiin.会員", "--as", "m", "--key", "toroku_nichiji", "--sample", "300"
    )
    assert (code, errors) == (0, "")
    lines = {line.split(":")[0].strip(): line for line in text.splitlines()}
    assert "class: person_name, mask: {strategy: drop}" in lines["c1"]
    assert re.search(r"of (\d+) values: \1 person_name$", lines["c1"])
    assert "class: free_text, mask: {strategy: drop}" in lines["c2"]
    assert re.search(r"of \d{3} values: \d\d phone$", lines["c2"])
    for value in ("山田", "花子", "090", "渋谷"):
        assert value not in text


def test_nothing_is_overwritten_and_wrong_words_are_refused(issuer: Issuer, tmp_path: Path) -> None:
    """A file that is there stays; a table that is not there is told; options that do not go together too."""
    (tmp_path / "clubs.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / "none").mkdir()
    empty = ("--contracts", str(tmp_path / "none"))
    result = CliRunner().invoke(
        app, ["discover", "community.clubs", "--into", str(tmp_path), *empty, "--settings", str(issuer.ends.settings)]
    )
    assert type(result.exception).__name__ == "SettingsInvalid"
    assert (tmp_path / "clubs.yaml").read_text(encoding="utf-8") == "mine"
    code, _, errors = run(issuer, "discover", "community.club", *empty)
    assert (code, "The source has no table community.club" in errors) == (2, True)
    wrong = CliRunner().invoke(app, ["discover", "community", "--settings", str(issuer.ends.settings)])
    assert type(wrong.exception).__name__ == "SettingsInvalid"
