"""The bundled contracts, suites and views fit the issuer's tables: nothing is undecided, nothing is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from etl.audit.table_checks import table_suite
from expectations.suite import BUNDLED as SUITES
from schemas.contract import Contract
from schemas.contract_file import BUNDLED, load_contracts
from schemas.lint import lint
from schemas.namespaces import GA4_EVENTS
from schemas.types import ColumnType
from schemas.view_file import load_views

ISSUER = Path(__file__).parents[2] / "scripts" / "issuer"
CONTRACTS = load_contracts()
_TABLE = re.compile(r"CREATE TABLE (\S+) \((.*?)\n\);", re.DOTALL)
_COLUMN = re.compile(r"^ {4}(\w+) ([a-z_.]+(?: precision)?)(?:\((\d+)(?:, (\d+))?\))?( NOT NULL)?", re.MULTILINE)
_TYPNAME = {
    "bigint": "int8", "integer": "int4", "smallint": "int2", "boolean": "bool", "char": "bpchar",
    "double precision": "float8",
}  # fmt: skip


def _tables() -> dict[str, dict[str, tuple[str, str, bool]]]:
    """Returns schema.table → column → (PostgreSQL type name, contract's spelling of a numeric, may be null)."""
    found = {}
    for path in sorted(ISSUER.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        for table, body in _TABLE.findall(text):
            found[table] = {
                name: (
                    "enum" if "." in kind else _TYPNAME.get(kind, kind),
                    f"numeric({precision},{scale})" if kind == "numeric" else "",
                    not required,
                )
                for name, kind, precision, scale, required in _COLUMN.findall(body)
            }
    return found


TABLES = _tables()


def test_every_table_has_one_contract() -> None:
    """The issuer's sixteen tables and the contracts' sources are the same."""
    assert len(TABLES) == 16
    assert {contract.source for contract in CONTRACTS.values()} == set(TABLES)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_has_a_decision(table: str) -> None:
    """A contract names each column of its table and no other, with a type that holds it exactly."""
    contract = _of(table)
    assert set(contract.columns) == set(TABLES[table])
    for name, (typname, numeric, _) in TABLES[table].items():
        declared = contract.columns[name].type
        assert typname in declared.held("postgres"), name
        if numeric:
            assert declared == ColumnType.parse(numeric), name


@pytest.mark.parametrize("table", sorted(TABLES))
def test_only_columns_that_cannot_be_null_are_promised_not_to_be(table: str) -> None:
    """`nullable: false` stands on NOT NULL columns only, and never where the mask gives NULL."""
    for name, column in _of(table).columns.items():
        if not column.nullable:
            assert not TABLES[table][name][2], name
            assert column.mask.strategy not in {"null", "drop"}, name


def test_the_linter_has_nothing_to_say() -> None:
    """The bundled contracts keep the policy."""
    assert not lint([BUNDLED])


def test_every_load_mode_and_every_needed_strategy_is_used() -> None:
    """The bundled contracts show what the engine can do, so that the daily run proves it."""
    assert {contract.load.mode for contract in CONTRACTS.values()} == {"full", "partition", "merge", "snapshot"}
    used = {column.mask.strategy for contract in CONTRACTS.values() for column in contract.columns.values()}
    assert used >= {
        "keep", "drop", "null", "redact", "tokenize", "pseudonymize", "fpe", "truncate_pan", "generalize_date",
        "postal_area", "email_domain", "scrub_text", "partial", "bucket", "round", "ip_prefix", "prefecture",
        "json_fields",
    }  # fmt: skip


def test_what_must_not_get_out_is_dropped_in_the_database() -> None:
    """CVV2, PIN, track data, credentials and My Number are never selected."""
    for contract in CONTRACTS.values():
        for name, column in contract.columns.items():
            if column.column_class in {"sensitive_authentication", "national_id"}:
                assert column.dropped, f"{contract.table}.{name}"


def test_a_member_has_one_token_everywhere() -> None:
    """Every published member_id, card_id and payment_id is made by the same strategy under the same domain."""
    for key, domain in (("member_id", "member"), ("card_id", "card"), ("payment_id", "payment")):
        masks = {contract.columns[key].mask for contract in CONTRACTS.values() if key in contract.columns}
        assert {(mask.strategy, getattr(mask, "domain", "")) for mask in masks} == {("tokenize", domain)}


@pytest.mark.parametrize("table", sorted(CONTRACTS))
def test_every_table_has_a_suite_of_published_columns(table: str) -> None:
    """A table's suite names published columns only, and blocks on something."""
    checks = table_suite(CONTRACTS[table], SUITES).checks
    assert any(check.severity == "blocking" for check in checks)
    assert len({(check.expect, str(check.kwargs)) for check in checks}) == len(checks)


def test_views_read_published_tables_and_columns_only() -> None:
    """Every table.column that a view names through an alias is published."""
    published = {contract.publish: set(contract.published) for contract in CONTRACTS.values()}
    published[GA4_EVENTS] = {"event_params", "event_timestamp", "platform", "user_id"}
    views = load_views()
    assert {"daily_gmv", "application_funnel", "repayment_rate", "delinquency_by_age_band"} <= {
        view.name for view in views
    }
    for view in views:
        aliases = dict(re.findall(r"(?:FROM|JOIN) (?!\()(\w+\.\w+)(?: AS (\w+))?", view.sql))
        assert aliases, view.name
        assert set(aliases) <= set(published), view.name
        for table, alias in aliases.items():
            assert _named(view.sql, alias) <= published[table], view.name


def _named(query: str, alias: str) -> set[str]:
    return set(re.findall(rf"\b{alias}\.(\w+)", query)) if alias else set()


def _of(table: str, contracts: Mapping[str, Contract] = CONTRACTS) -> Contract:
    return next(contract for contract in contracts.values() if contract.source == table)
