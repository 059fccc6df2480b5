"""Drift, plan and discovery use the catalogue of MySQL as they use that of PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from etl.cli import app
from schemas.contract_file import load_contract, load_contracts
from schemas.lint import lint
from tests.etl.conftest import DAY
from tests.etl.source.mysql.mysql_source import MySql

pytestmark = pytest.mark.stack

KAIIN = """\
CREATE TABLE community.kaiin (
    kaiin_bango BIGINT PRIMARY KEY, shimei VARCHAR(40), denwa VARCHAR(20) COMMENT '電話', `住所` TEXT, c1 VARCHAR(40),
    kubun ENUM('a', 'b') NOT NULL, kingaku DECIMAL(10, 0) NOT NULL, toroku_nichiji TIMESTAMP NOT NULL
) COMMENT '会員'
"""


def run(mysql: MySql, *arguments: str) -> tuple[int, str]:
    """Runs a command on MariaDB; returns its exit code and what it prints."""
    result = CliRunner().invoke(app, [*arguments, "--settings", str(mysql.ends.settings)])
    return result.exit_code, result.stdout


@pytest.fixture
def kaiin(mysql: MySql) -> Iterator[None]:
    """Adds a table with Japanese names, and takes it away again."""
    mysql.execute(
        "DROP TABLE IF EXISTS community.kaiin", KAIIN,
        "INSERT INTO community.kaiin VALUES"
        " (1, '山田 太郎', '090-1234-5678', '東京都渋谷区', '佐藤 花子', 'a', 1, now())",
    )  # fmt: skip
    yield
    mysql.execute("DROP TABLE community.kaiin")


def test_the_same_contracts_agree_and_are_planned(mysql: MySql) -> None:
    """No table has drifted, no key is unenforced, and each table has a plan with rows and bytes."""
    assert run(mysql, "drift") == (0, "16 tables compared, 0 would be refused. No row was read.\n")
    code, printed = run(mysql, "plan", "--day", str(DAY), "--json")
    plans = {one["table"]: one for one in json.loads(printed)}
    assert (code, set(plans)) == (0, set(load_contracts()))
    assert plans["payments"]["estimated_bytes"] > plans["payments"]["estimated_rows"] > 0
    assert [part["day"] for part in plans["payments"]["slices"]] == ["2023-08-28", "2023-08-29", "2023-08-30"]


@pytest.mark.usefixtures("kaiin")
def test_a_table_is_discovered_and_its_drift_found(mysql: MySql, tmp_path: Path) -> None:
    """Types, key, enums, comments and a sample as in PostgreSQL; a changed table is refused by the same kinds."""
    code, text = run(mysql, "discover", "community.kaiin", "--sample", "10", "--contracts", str(tmp_path))
    path = tmp_path / "kaiin.yaml"
    path.write_text(text, encoding="utf-8")
    contract = load_contract(path)
    assert (code, lint([path]), contract.key, contract.about) == (0, (), ("kaiin_bango",), "会員")
    assert {name: one.column_class.value for name, one in contract.columns.items()} == {
        "kaiin_bango": "identifier", "shimei": "person_name", "denwa": "phone", "住所": "address", "c1": "person_name",
        "kubun": "none", "kingaku": "none", "toroku_nichiji": "none",
    }  # fmt: skip
    assert set(contract.selected) == {"kaiin_bango", "kubun", "kingaku", "toroku_nichiji"}
    assert "花子" not in text
    assert run(mysql, "drift", "--contracts", str(tmp_path))[0] == 0
    mysql.execute(
        "ALTER TABLE community.kaiin MODIFY kingaku DECIMAL(14, 2), "
        "CHANGE shimei shimei_kana VARCHAR(40), ADD memo TEXT"
    )
    code, printed = run(mysql, "drift", "--contracts", str(tmp_path), "--format", "json")
    kinds = [(one["kind"], one["column"]) for one in json.loads(printed)[0]["drift"]]
    assert code == 2
    assert kinds == [
        ("new column", "memo"), ("renamed column", "shimei"), ("other type", "kingaku"), ("may be NULL", "kingaku"),
    ]  # fmt: skip


def test_keys_that_are_compared_without_case_are_told(mysql: MySql, tmp_path: Path) -> None:
    """Most collations make `A1` equal `A1 `, and `_ci` ones `a1`: tokens of key and references are made alike."""
    mysql.execute(
        "DROP TABLE IF EXISTS community.deals, community.partners, community.exact, community.padded",
        "CREATE TABLE community.partners (partner_id VARCHAR(9) COLLATE utf8mb4_general_ci PRIMARY KEY)",
        "CREATE TABLE community.deals (deal_id INT PRIMARY KEY, partner_id VARCHAR(9) COLLATE utf8mb4_general_ci, "
        "FOREIGN KEY (partner_id) REFERENCES community.partners (partner_id))",
        "CREATE TABLE community.padded (padded_id VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY)",
        "CREATE TABLE community.exact (exact_id VARCHAR(9) COLLATE utf8mb4_nopad_bin PRIMARY KEY)",
    )
    try:
        folder = ("--into", str(tmp_path), "--contracts", str(tmp_path))
        for table in ("partners", "deals", "padded", "exact"):
            assert run(mysql, "discover", f"community.{table}", *folder)[0] == 0
    finally:
        mysql.execute("DROP TABLE community.deals, community.partners, community.padded, community.exact")
    told = {path.stem: re.findall(r"normalize: \[(.*?)\]", path.read_text("utf-8")) for path in tmp_path.glob("*.yaml")}
    assert told == {"partners": ["trim, lower"], "deals": ["trim, lower"], "padded": ["trim"], "exact": []}


LEAST: Final = """\
table: {0}
about: Made-up rows.
source: least.{0}
publish: least.{0}
load: {{mode: full}}
key: [id]
columns:
  id: {{type: int64, class: none, mask: {{strategy: keep, why: made up}}}}
"""
SECRET: Final = "  secret: {type: string, class: sensitive_authentication, mask: {strategy: drop}}\n"


@pytest.fixture
def least(mysql: MySql) -> Iterator[None]:
    """Adds a table of which one column may be read, and a view that may be read although its table may not."""
    mysql.execute(
        "DROP DATABASE IF EXISTS least", "CREATE DATABASE least",
        "CREATE TABLE least.granted (id INT PRIMARY KEY, secret TEXT)",
        "CREATE TABLE least.closed (id INT PRIMARY KEY)",
        "CREATE VIEW least.seen AS SELECT id FROM least.closed",
        "GRANT SELECT (id) ON least.granted TO etl_reader@127.0.0.1",
        "GRANT SELECT, SHOW VIEW ON least.seen TO etl_reader@127.0.0.1",
        "GRANT REFERENCES ON least.closed TO etl_reader@127.0.0.1",
    )  # fmt: skip
    yield
    mysql.execute("DROP DATABASE least")


@pytest.mark.usefixtures("least")
def test_what_is_selected_is_all_that_must_be_granted(mysql: MySql, tmp_path: Path) -> None:
    """MySQL shows no column without a privilege and explains no view over closed tables: both are planned.

    Of what is under a view the user must see what it is, and may read no row.
    """
    for name in ("granted", "seen"):
        text = LEAST.format(name) + (SECRET if name == "granted" else "")
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert run(mysql, "drift", "--contracts", str(tmp_path))[0] == 0
    code, printed = run(mysql, "plan", "--day", str(DAY), "--json", "--contracts", str(tmp_path))
    assert (code, {one["table"] for one in json.loads(printed)}) == (0, {"granted", "seen"})


@pytest.mark.usefixtures("least")
@pytest.mark.parametrize("taken", ["SHOW VIEW ON least.seen", "REFERENCES ON least.closed"])
def test_a_view_whose_change_nobody_would_see_is_refused(mysql: MySql, tmp_path: Path, taken: str) -> None:
    """Where the user sees neither what a view says nor what is under it, another one could take its place unseen."""
    (tmp_path / "seen.yaml").write_text(LEAST.format("seen"), encoding="utf-8")
    mysql.execute(f"REVOKE {taken} FROM etl_reader@127.0.0.1")
    code, printed = run(mysql, "plan", "--day", str(DAY), "--contracts", str(tmp_path))
    assert code == 2
    assert "Grant SHOW VIEW on the view" in printed
