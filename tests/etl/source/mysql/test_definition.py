"""What a table of MySQL is stays what was planned, and no default of the server changes what is read of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from etl.errors import SourceChanged
from etl.plan import Scope, plan_table
from etl.source import hold_snapshot, join_snapshot
from etl.stage import Stager
from schemas.contract_file import load_contract
from tests.etl.conftest import DAY
from tests.etl.source.conftest import Staging
from tests.etl.source.mysql.mysql_source import MySql

pytestmark = pytest.mark.stack
ROWS = 20
TABLE = (
    "DROP DATABASE IF EXISTS held",
    "CREATE DATABASE held",
    "CREATE TABLE held.cards (id bigint PRIMARY KEY, label varchar(40), number varchar(40))",
    f"INSERT INTO held.cards SELECT seq, concat('card ', seq), '4111111111111111' FROM held.seq_1_to_{ROWS}",
    "CREATE TABLE held.spare LIKE held.cards",
    "INSERT INTO held.spare SELECT id, number, label FROM held.cards",
    "DO sleep(1.1)",  # a table's time of making has seconds
)
CONTRACT = """
table: cards
about: Cards, of which the number does not leave the database.
source: held.cards
publish: held.cards
load: {mode: full}
key: [id]
columns:
  id:     {type: int64, class: none, mask: {strategy: keep, why: a made-up number}}
  label:  {type: string, class: none, mask: {strategy: keep, why: a made-up word}}
  number: {type: string, class: pan, mask: {strategy: drop}}
"""
CHANGES = {
    "columns trade names": (
        "ALTER TABLE held.cards RENAME COLUMN label TO was, RENAME COLUMN number TO label",
        "ALTER TABLE held.cards RENAME COLUMN was TO number",
    ),
    "another table takes the name": ("RENAME TABLE held.cards TO held.gone, held.spare TO held.cards",),
    "rewritten": ("ALTER TABLE held.cards MODIFY label varchar(20)",),
}


@pytest.fixture
def cards(mysql: MySql) -> Iterator[MySql]:
    """Yields MySQL with a table that a test may change as it likes."""
    mysql.execute(*TABLE, "GRANT SELECT ON held.* TO 'etl_reader'@'127.0.0.1'")
    yield mysql
    mysql.execute("DROP DATABASE held")


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_table_is_not_published(
    cards: MySql, staging: Staging, spark: SparkSession, tmp_path: Path, what: str
) -> None:
    """What a table became between its plan and its last total ends its load with exit code 3."""
    path = tmp_path / "cards.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    with hold_snapshot(cards.settings.source) as held:
        with join_snapshot(held.snapshot) as session:
            plan = plan_table(session, load_contract(path), Scope(DAY), 1 << 40)
        cards.execute(*CHANGES[what])
        with pytest.raises(SourceChanged, match=r"held\.cards is not what the snapshot knows") as refused:
            Stager(spark, held, staging.key, staging.target, "mysql-changed").stage(plan)
    assert refused.value.exit_code == 3


def test_defaults_of_the_server_leave_no_row_out(
    cards: MySql, staging: Staging, spark: SparkSession, tmp_path: Path
) -> None:
    """A limit of rows, and another reading of quotes and NULL, that the server gives each session change nothing."""
    path = tmp_path / "cards.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    cards.execute("SET GLOBAL init_connect = 'SET sql_select_limit = 3, sql_mode = ANSI_QUOTES, sql_auto_is_null = 1'")
    try:
        with hold_snapshot(cards.settings.source) as held:
            with join_snapshot(held.snapshot) as session:
                plan = plan_table(session, load_contract(path), Scope(DAY), 1 << 40)
            staged, totals = Stager(spark, held, staging.key, staging.target, "mysql-defaults").stage(plan)
    finally:
        cards.execute("SET GLOBAL init_connect = ''")
    assert staged.rows == totals.rows == ROWS
