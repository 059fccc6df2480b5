"""What a table of MySQL is stays what was planned, and no default of the server changes what is read of it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from etl.cloud.storage import StagingBucket
from etl.errors import SourceChanged
from etl.plan import Scope, TablePlan, plan_table
from etl.plan.foreign import SourceForeign
from etl.source import HeldSnapshot, hold_snapshot, join_snapshot
from etl.stage import SourceTotals, Staged, Stager
from schemas.contract_file import load_contract
from scripts.local_stack.mariadb import ADMIN
from tests.etl.conftest import DAY
from tests.etl.source.conftest import Staging
from tests.etl.source.mysql.mysql_source import MySql

pytestmark = pytest.mark.stack
ROWS = 20
READER = "'etl_reader'@'127.0.0.1'"
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
VIEWS = (
    "CREATE FUNCTION held.said(label varchar(40)) RETURNS varchar(40) DETERMINISTIC RETURN label",
    "CREATE VIEW held.inner_view AS SELECT id, held.said(label) AS label, number FROM held.cards",
    "CREATE VIEW held.seen AS SELECT id, label, number FROM held.inner_view WHERE label <> 'from `no`.`table`'",
)
TURNED = "AS SELECT id, number AS label, label AS number FROM"
BENEATH = {
    "another view": (f"CREATE OR REPLACE VIEW held.seen {TURNED} held.inner_view",),
    "another view under it": (f"CREATE OR REPLACE VIEW held.inner_view {TURNED} held.cards",),
    "another table under it": CHANGES["another table takes the name"],
    "another function": (
        "DO sleep(1.1)",
        "CREATE OR REPLACE FUNCTION held.said(label varchar(40)) RETURNS varchar(40) DETERMINISTIC RETURN 'said'",
    ),
}


@pytest.fixture
def cards(mysql: MySql) -> Iterator[MySql]:
    """Yields MySQL with a table that a test may change as it likes."""
    mysql.execute(*TABLE, f"GRANT SELECT, SHOW VIEW, EXECUTE ON held.* TO {READER}")
    yield mysql
    mysql.execute("DROP DATABASE held", f"REVOKE SELECT, SHOW VIEW, EXECUTE ON held.* FROM {READER}")


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_table_is_not_published(
    cards: MySql, staging: Staging, spark: SparkSession, tmp_path: Path, what: str
) -> None:
    """What a table became between its plan and its last total ends its load with exit code 3."""
    with hold_snapshot(cards.settings.source) as held:
        plan = planned(held, tmp_path, "cards")
        cards.execute(*CHANGES[what])
        with pytest.raises(SourceChanged, match=r"held\.cards is not what the snapshot knows") as refused:
            Stager(spark, held, staging.key, staging.target, "mysql-changed").stage(plan)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("what", BENEATH)
def test_what_a_view_reads_counts_too(
    cards: MySql, staging: Staging, spark: SparkSession, tmp_path: Path, what: str
) -> None:
    """A view ends its load as well when it, or a view, table or function under it, becomes another."""
    cards.execute(*VIEWS)
    with hold_snapshot(cards.settings.source) as held:
        plan = planned(held, tmp_path, "seen")
        cards.execute(*BENEATH[what])
        with pytest.raises(SourceChanged):
            Stager(spark, held, staging.key, staging.target, "mysql-beneath").stage(plan)


def test_a_view_is_read_as_long_as_nothing_changes(
    cards: MySql, staging: Staging, spark: SparkSession, tmp_path: Path
) -> None:
    """Names in a view's texts are no tables, and what it reads is found by its own spelling."""
    cards.execute(*VIEWS)
    staged, totals = staged_now(cards, staging, spark, tmp_path, "seen")
    assert staged.rows == totals.rows == ROWS


def test_a_view_over_another_servers_table_is_refused(cards: MySql, tmp_path: Path) -> None:
    """A table whose rows are elsewhere is foreign under a view, too."""
    with cards.connection() as connection:
        there = f"mysql://{ADMIN}:{connection.password.decode()}@127.0.0.1:{connection.port}/held/cards"
    cards.execute(
        "INSTALL SONAME 'ha_federatedx'",
        f"CREATE TABLE held.away (id bigint PRIMARY KEY) ENGINE=FEDERATED CONNECTION='{there}'",
        "CREATE VIEW held.seen AS SELECT id, 'label' AS label, 'number' AS number FROM held.away",
    )
    try:
        with hold_snapshot(cards.settings.source) as held, pytest.raises(SourceForeign, match=r"held\.away"):
            planned(held, tmp_path, "seen")
    finally:
        cards.execute("DROP TABLE held.away", "UNINSTALL SONAME 'ha_federatedx'")


DEFAULTS = {
    "rows, quotes and NULL": (
        ("SET GLOBAL init_connect = 'SET sql_select_limit = 3, sql_mode = ANSI_QUOTES, sql_auto_is_null = 1'",),
        ("SET GLOBAL init_connect = ''",),
    ),
    "letters": (
        ("SET GLOBAL init_connect = 'SET NAMES sjis, character_set_results = latin1'",),
        ("SET GLOBAL init_connect = ''",),
    ),
    "a time that is over": (
        ("ALTER TABLE held.cards ADD SYSTEM VERSIONING", "SET GLOBAL system_versioning_asof = '2001-01-01'"),
        ("SET GLOBAL system_versioning_asof = DEFAULT",),
    ),
    "long values": (
        ("SET GLOBAL net_buffer_length = 1024", "SET GLOBAL max_allowed_packet = 1024"),
        ("SET GLOBAL max_allowed_packet = DEFAULT", "SET GLOBAL net_buffer_length = DEFAULT"),
    ),
}
"""What a server gives each session, and how it is taken back."""
LETTERS = {"カード", "漢" * 4_000}


@pytest.mark.parametrize("what", DEFAULTS)
def test_defaults_of_the_server_change_nothing(
    cards: MySql, staging: Staging, spark: SparkSession, tmp_path: Path, what: str
) -> None:
    """Limits, character sets, another reading of quotes and NULL, and rows as they once were are not believed."""
    longest = max(LETTERS, key=len)
    changed = f"UPDATE held.cards SET label = IF(id % 2, 'カード', '{longest}')"
    cards.execute("ALTER TABLE held.cards MODIFY label longtext", changed)
    given, taken_back = DEFAULTS[what]
    try:
        cards.execute(*given)
        staged, totals = staged_now(cards, staging, spark, tmp_path)
    finally:
        cards.execute(*taken_back)
    assert staged.rows == totals.rows == ROWS
    assert letters_of(staged, staging) == LETTERS


def test_rows_that_are_not_committed_are_not_read(
    cards: MySql, staging: Staging, spark: SparkSession, tmp_path: Path
) -> None:
    """Whatever isolation the server gives its sessions, a row that may be rolled back is none."""
    isolation = "SET GLOBAL tx_isolation = '{}'"
    with cards.connection() as writer:
        writer.begin()
        writer.cursor().execute("INSERT INTO held.cards VALUES (0, 'never', 'committed')")
        cards.execute(isolation.format("READ-UNCOMMITTED"))
        try:
            staged, totals = staged_now(cards, staging, spark, tmp_path)
        finally:
            cards.execute(isolation.format("REPEATABLE-READ"))
    assert staged.rows == totals.rows == ROWS


def staged_now(
    source: MySql, staging: Staging, spark: SparkSession, folder: Path, table: str = "cards"
) -> tuple[Staged, SourceTotals]:
    """Plans and stages a table of the shape of cards."""
    with hold_snapshot(source.settings.source) as held:
        plan = planned(held, folder, table)
        return Stager(spark, held, staging.key, staging.target, f"mysql-{table}").stage(plan)


def planned(held: HeldSnapshot, folder: Path, table: str) -> TablePlan:
    """Plans a table of the shape of cards."""
    path = folder / "cards.yaml"
    path.write_text(CONTRACT.replace("held.cards", f"held.{table}"), encoding="utf-8")
    with join_snapshot(held.snapshot) as session:
        return plan_table(session, load_contract(path), Scope(DAY), 1 << 40)


def letters_of(staged: Staged, staging: Staging) -> set[str]:
    """Returns the labels that were staged."""
    found = [pq.read_table(BytesIO(StagingBucket(staging.target).read(file.name))) for file in staged.files]
    return {label for table in found for label in table.column("label").to_pylist()}
