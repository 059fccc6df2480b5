"""The load's database user may read what contracts name, and may change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from schemas.contract_file import load_contracts
from scripts.local_stack.local_stack import Endpoints
from scripts.local_stack.postgres import DATABASE, PRIMARY, Postgres
from scripts.local_stack.state import locked
from tests.scripts.deploy.conftest import DEPLOY

SQL = (DEPLOY / "sql/etl_reader.sql").read_text(encoding="utf-8")
SCHEMAS = sorted({contract.source.split(".")[0] for contract in load_contracts().values()})


@contextmanager
def renamed(stack: Endpoints) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Yields an owner's session in which the file was run for this stack's database, and undoes it."""
    sql = SQL.replace("DATABASE issuer", f"DATABASE {DATABASE}").replace("etl_reader", "deployed_reader")
    with locked(stack.root) as state, Postgres(stack.root, state)._connect(PRIMARY, DATABASE) as owner:
        owner.autocommit = False
        owner.execute("CREATE ROLE rds_iam")
        for schema in SCHEMAS:
            owner.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
            owner.execute(f"CREATE TABLE {schema}.deployed AS SELECT 1 AS n".encode())
        owner.execute(re.sub(r"^(BEGIN|COMMIT);$", "", sql, flags=re.MULTILINE).encode())
        yield owner
        owner.rollback()


def test_the_user_reads_what_contracts_name(stack: Endpoints) -> None:
    """It may select from every schema of the contracts; it is no owner of anything, and sees no row policy away."""
    with renamed(stack) as owner:
        for schema in SCHEMAS:
            told = owner.execute(
                "SELECT has_table_privilege('deployed_reader', %s, 'SELECT'),"
                " has_table_privilege('deployed_reader', %s, 'INSERT, UPDATE, DELETE, TRUNCATE')",
                (f"{schema}.deployed", f"{schema}.deployed"),
            ).fetchone()
            assert told == (True, False), schema
        told = owner.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolreplication, rolconnlimit, rolconfig FROM pg_roles"
            " WHERE rolname = 'deployed_reader'"
        ).fetchone()
        assert told == (False, False, False, False, 20, ["default_transaction_read_only=on"])


def test_the_user_changes_nothing(stack: Endpoints) -> None:
    """In its name an insert is refused."""
    with renamed(stack) as owner:
        owner.execute("SET LOCAL ROLE deployed_reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute(f"INSERT INTO {SCHEMAS[0]}.deployed VALUES (2)".encode())
