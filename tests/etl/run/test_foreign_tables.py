"""Databases that nobody here wrote: names, grants, relations, values of every kind are loaded, or named and counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.run.record.results import RunResult
from schemas.lint import lint
from tests.etl.conftest import DAY, Issuer

pytestmark = pytest.mark.stack

SHOP = """\
CREATE SCHEMA shop;
CREATE TABLE shop."Order" ("orderId" bigint PRIMARY KEY, "createdAt" timestamptz NOT NULL, "1stAmount" numeric(12,2),
    no text NOT NULL, "12:30" text, "会員.番号" text);
INSERT INTO shop."Order" VALUES (1, '2023-08-30 03:00+00', 10.50, 'a', 'x', 'y'),
    (2, '2023-08-30 04:00+00', 1, 'b', 'x', 'y');
CREATE TABLE shop.holders (holder_id bigint PRIMARY KEY, rank text NOT NULL, cvv2 text);
INSERT INTO shop.holders SELECT n, 'gold', '123' FROM generate_series(1, 1000) n;
CREATE TABLE shop.events (id int PRIMARY KEY, payload json);
INSERT INTO shop.events VALUES (1, '{"a":1}'), (2, '{"a":2,"memo":"x\\u0000y"}'), (3, '{"a":"\\ud800"}');
CREATE TABLE shop.nulled (id int PRIMARY KEY, payload json);
INSERT INTO shop.nulled SELECT * FROM shop.events;
CREATE TABLE shop.documents (id int PRIMARY KEY, payload json);
INSERT INTO shop.documents SELECT * FROM shop.events;
CREATE TABLE shop.ends (id int PRIMARY KEY, valid_until timestamptz NOT NULL);
INSERT INTO shop.ends VALUES (1, '2023-08-30 00:00+00'), (2, '9999-12-31 23:59:59+00'), (3, '9999-12-31 15:00+00');
CREATE TABLE shop.births (id int PRIMARY KEY, born date, years timestamptz, amount numeric);
INSERT INTO shop.births VALUES (1, '1990-04-01', '1990-04-01', 12), (2, 'infinity', 'infinity', 'NaN'),
    (3, '20230-01-01', '9999-12-31 23:59:59+00', 1), (4, '0044-03-15 BC', '-infinity', 2);
CREATE TABLE shop.far (id int PRIMARY KEY, born date);
INSERT INTO shop.far SELECT id, born FROM shop.births;
CREATE TABLE shop.visits (id int PRIMARY KEY, at timestamp NOT NULL);
INSERT INTO shop.visits VALUES (1, '2023-08-30 00:00'), (2, '2023-08-30 23:59:59.999999'), (3, '2023-08-31 00:00'),
    (4, '2023-08-29 23:59:59');
CREATE TABLE shop.sales (id int PRIMARY KEY, n int);
CREATE TABLE shop.sales_q1 () INHERITS (shop.sales);
INSERT INTO shop.sales VALUES (1, 1);
INSERT INTO shop.sales_q1 VALUES (2, 2);
CREATE TABLE shop.base (made_at timestamptz NOT NULL);
CREATE TABLE shop.heir (heir_id int PRIMARY KEY) INHERITS (shop.base);
CREATE DOMAIN shop.money_jpy AS numeric(12,0) NOT NULL;
CREATE DOMAIN shop.fee_jpy AS shop.money_jpy CHECK (VALUE >= 0);
CREATE TABLE shop.fees (fee_id int PRIMARY KEY, fee shop.fee_jpy);
INSERT INTO shop.fees VALUES (1, 100), (2, 0);
CREATE TABLE shop.logs (line text, level text);
INSERT INTO shop.logs VALUES ('a', 'info'), ('a', 'info'), ('b', 'warn');
CREATE MATERIALIZED VIEW shop.ranks AS SELECT rank, count(*) AS n FROM shop.holders GROUP BY rank;
CREATE VIEW shop.golden AS SELECT holder_id, rank FROM shop.holders;
CREATE TABLE shop.partners (partner_id varchar(5) PRIMARY KEY);
CREATE TABLE shop.deals (deal_id int PRIMARY KEY, partner_id char(5) REFERENCES shop.partners);
CREATE COLLATION shop.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE shop.loose (loose_id varchar(9) COLLATE shop.nocase PRIMARY KEY);
CREATE TABLE shop."dotted.name" (dotted_id int PRIMARY KEY);
CREATE TABLE shop.tabbed (tabbed_id int PRIMARY KEY, "a\tb" int);
COMMENT ON TABLE shop.partners IS '=';
COMMENT ON TABLE shop.deals IS E'orders\\x07';
GRANT USAGE ON SCHEMA shop TO etl_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO etl_reader;
REVOKE SELECT ON shop.holders FROM etl_reader;
GRANT SELECT (holder_id, rank) ON shop.holders TO etl_reader
"""
KEEP = "mask: {strategy: keep, why: a made-up value}"
COLUMNS = {
    "order": f"""\
    source: shop.Order
    load: {{mode: partition, by: created_on}}
    key: [order_id, "no"]
    reconcile: [first_amount]
    columns:
      orderId:     {{type: int64, class: identifier, publish_as: order_id, mask: {{strategy: tokenize, domain: order}}}}
      createdAt:   {{type: timestamp, class: none, publish_as: created_at, {KEEP}, nullable: false}}
      "1stAmount": {{type: "numeric(12,2)", class: none, publish_as: first_amount, {KEEP}}}
      "no":        {{type: string, class: none, {KEEP}, nullable: false}}
      "12:30":     {{type: string, class: none, mask: {{strategy: drop}}}}
      "会員.番号":   {{type: string, class: none, publish_as: member, {KEEP}}}
    derive:
      created_on: {{type: date, from: created_at, as: business_date}}""",
    "holders": f"""\
    key: [holder_id]
    columns:
      holder_id: {{type: int64, class: identifier, mask: {{strategy: tokenize, domain: holder}}}}
      rank:      {{type: string, class: none, {KEEP}, nullable: false}}
      cvv2:      {{type: string, class: sensitive_authentication, mask: {{strategy: drop}}}}""",
    **{
        table: f"""\
    key: [id]
    columns:
      id: {{type: int64, class: none, {KEEP}}}
      payload:
        type: json
        class: free_text
        mask: {{strategy: json_fields, on_invalid: {choice}, fields: {{a: {{strategy: keep, why: a counter}}}}}}"""
        for table, choice in (("events", "quarantine"), ("nulled", "null"), ("documents", "fail"))
    },
    "ends": f"""\
    key: [id]
    columns:
      id: {{type: int64, class: none, {KEEP}}}
      valid_until: {{type: timestamp, class: none, {KEEP}, nullable: false}}
    derive:
      valid_on: {{type: date, from: valid_until, as: business_date}}""",
    "births": f"""\
    key: [id]
    columns:
      id: {{type: int64, class: none, {KEEP}}}
      born: {{type: date, class: birth_date, mask: {{strategy: generalize_date, to: age_band, on_invalid: null}}}}
      years: {{type: timestamp, class: birth_date, mask: {{strategy: generalize_date, to: year, on_invalid: null}}}}
      amount: {{type: "numeric(10,2)", class: none, mask: {{strategy: bucket, edges: [10], on_invalid: null}}}}""",
    "far": f"""\
    key: [id]
    columns:
      id: {{type: int64, class: none, {KEEP}}}
      born: {{type: date, class: none, {KEEP}}}""",
    "visits": f"""\
    load: {{mode: partition, by: visited_on}}
    key: [id]
    columns:
      id: {{type: int64, class: none, {KEEP}}}
      at: {{type: timestamp(Asia/Tokyo), class: none, {KEEP}, nullable: false}}
    derive:
      visited_on: {{type: date, from: at, as: business_date}}""",
    "sales": f"""\
    key: [id]
    columns:
      id: {{type: int64, class: none, {KEEP}}}
      n: {{type: int64, class: none, {KEEP}}}""",
    "fees": f"""\
    key: [fee_id]
    columns:
      fee_id: {{type: int64, class: none, {KEEP}}}
      fee: {{type: "numeric(12,0)", class: none, {KEEP}, nullable: false}}""",
    "logs": f"""\
    keyless: lines of a log have none
    columns:
      line: {{type: string, class: none, {KEEP}}}
      level: {{type: string, class: none, {KEEP}}}""",
    "ranks": f"""\
    key: [rank]
    columns:
      rank: {{type: string, class: none, {KEEP}}}
      n: {{type: int64, class: none, {KEEP}}}""",
    "golden": f"""\
    key: [holder_id]
    columns:
      holder_id: {{type: int64, class: none, {KEEP}}}
      rank: {{type: string, class: none, {KEEP}}}""",
}  # fmt: skip


def written(folder: Path) -> Path:
    """Writes the contracts of the shop and returns their folder."""
    for table, rest in COLUMNS.items():
        head = f"table: {table}\nabout: Made-up rows.\npublish: shop.{table}s\nerasure: {{rule: delete}}\n"
        lines = [line.removeprefix("    ") for line in rest.splitlines()]
        keys = {line.split(":")[0] for line in lines}
        head += "" if "source" in keys else f"source: shop.{table}\n"
        head += "" if "load" in keys else "load: {mode: full}\n"
        (folder / f"{table}.yaml").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def shop(issuer: Issuer) -> Iterator[Issuer]:
    """Yields the issuer with a foreign schema, which is taken away again."""
    issuer.source(SHOP)
    yield issuer
    issuer.source("DROP SCHEMA shop CASCADE")


@pytest.fixture(scope="module")
def loaded(shop: Issuer, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """Returns the run that loads the foreign schema."""
    return shop.run(DAY, contracts=written(tmp_path_factory.mktemp("shop")))


def outcome(loaded: RunResult, table: str) -> str:
    """Returns how a table ended: its outcome, and its error if it has one."""
    return next(f"{one.outcome} {one.error}" for one in loaded.tables if one.table == table)


def test_names_are_published_as_the_contract_says(shop: Issuer, loaded: RunResult) -> None:
    """Mixed case, a digit first, dots and words of YAML at the source; plain names, sums and days in BigQuery."""
    assert outcome(loaded, "order").startswith("published")
    rows = shop.published(
        "SELECT first_amount, `no`, member, created_on FROM shop.orders WHERE created_on = '2023-08-30' ORDER BY 2"
    )
    assert [(float(amount), *rest) for amount, *rest in rows] == [
        (10.5, "a", "y", date(2023, 8, 30)),
        (1.0, "b", "y", date(2023, 8, 30)),
    ]


def test_grants_on_columns_are_enough(shop: Issuer, loaded: RunResult) -> None:
    """What a contract selects is all that must be granted: no page and no dropped column is asked for."""
    assert outcome(loaded, "holders").startswith("published")
    assert shop.published("SELECT count(*), count(DISTINCT holder_id) FROM shop.holderss") == [(1000, 1000)]


def test_json_that_jsonb_refuses_is_decided_by_its_column(shop: Issuer, loaded: RunResult) -> None:
    """NUL and half of a surrogate pair are set aside, nulled, or stop the table with its column and count."""
    assert shop.published("SELECT id, payload FROM shop.eventss ORDER BY 1") == [(1, '{"a":1}')]
    assert shop.published("SELECT id, payload IS NULL FROM shop.nulleds ORDER BY 1") == [
        (1, False),
        (2, True),
        (3, True),
    ]
    assert "2 values of payload" in outcome(loaded, "documents")


def test_the_end_of_time_is_counted_before_staging(loaded: RunResult) -> None:
    """A sentinel whose day in Japan is none that BigQuery has stops the table by name and count."""
    assert "2 values of valid_until are in Japan on a day after 9999-12-31" in outcome(loaded, "ends")


def test_far_dates_and_nan_are_decided_by_their_column(shop: Issuer, loaded: RunResult) -> None:
    """Infinite, far and ancient dates become NULL and are counted; where the value is kept, they stop the table."""
    assert outcome(loaded, "births").startswith("published")
    assert shop.published("SELECT id, born, years, amount FROM shop.birthss ORDER BY 1") == [
        (1, "30-39", "1990", "10 and over"),
        (2, None, None, None),
        (3, None, None, "under 10"),
        (4, None, None, "under 10"),
    ]
    assert "3 values of born are infinite or outside the years 1 to 9999" in outcome(loaded, "far")


def test_times_of_a_clock_place_rows_in_days(shop: Issuer, loaded: RunResult) -> None:
    """A timestamp without zone is an instant by its declared clock, to the microsecond at midnight."""
    assert outcome(loaded, "visits").startswith("published")
    rows = shop.published(
        "SELECT id, FORMAT_TIMESTAMP('%F %T', at) FROM shop.visitss WHERE visited_on = '2023-08-30' ORDER BY 1"
    )
    assert rows == [(1, "2023-08-29 15:00:00"), (2, "2023-08-30 14:59:59")]


def test_relations_of_every_kind_are_read(shop: Issuer, loaded: RunResult) -> None:
    """Heirs come with their table, domains are their base type, views and tables without a key have a way."""
    for table in ("sales", "fees", "logs", "ranks", "golden"):
        assert outcome(loaded, table).startswith("published"), outcome(loaded, table)
    assert shop.published("SELECT sum(n) FROM shop.saless") == [(3,)]
    assert shop.published("SELECT count(*) FROM shop.logss") == [(3,)]
    assert shop.published("SELECT n FROM shop.rankss") == [(1000,)]


def command(shop: Issuer, *arguments: str) -> tuple[int, str, str]:
    """Runs a command; gives its exit code, what it prints and what it says of errors."""
    result = CliRunner().invoke(app, [*arguments, "--settings", str(shop.ends.settings)])
    return result.exit_code, result.stdout, result.stderr


def test_a_whole_foreign_schema_is_proposed(shop: Issuer, tmp_path: Path) -> None:
    """What can be read gets a contract that lints, agrees with the source and keeps joins; the rest is told by name."""
    code, _, errors = command(shop, "discover", "shop", "--all", "--into", str(tmp_path), "--contracts", str(tmp_path))
    assert code == 2
    assert {line.split("shop.")[1].split()[0] for line in errors.splitlines() if "no key" in line} == {
        "base", "golden", "logs", "ranks",
    }  # fmt: skip
    assert "shop.heir inherit from it and wait for that" in errors
    assert "[source=shop.base]" in errors
    assert errors.count("lacks names that a contract can spell") == 2
    names = {path.stem for path in tmp_path.glob("*.yaml")}
    assert {"order", "partners", "deals", "sales", "fees"} <= names
    assert "sales_q1" not in names
    assert [one for one in lint([tmp_path]) if one.severity == "error"] == []
    order, sales = ((tmp_path / f"{name}.yaml").read_text(encoding="utf-8") for name in ("order", "sales"))
    assert "key: [order_id]" in order
    assert '"1stAmount":' in order
    assert "publish_as: _1st_amount" in order
    assert "shop.sales_q1 are read too" in sales
    fees = (tmp_path / "fees.yaml").read_text(encoding="utf-8")
    assert 'fee:    {type: "numeric(12,0)"' in fees
    for name in ("partners", "deals"):
        assert "normalize: [trim]" in (tmp_path / f"{name}.yaml").read_text(encoding="utf-8")
    assert "normalize: [lower]" in (tmp_path / "loose.yaml").read_text(encoding="utf-8")
    code, said, errors = command(shop, "drift", "--contracts", str(tmp_path))
    assert (code, errors) == (0, ""), said


def test_drift_tells_a_clock_without_a_zone(shop: Issuer, tmp_path: Path) -> None:
    """The types are told apart in words, the clock is asked for, and the file is the contract's own."""
    path = written(tmp_path) / "visits.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("timestamp(Asia/Tokyo)", "timestamp"), encoding="utf-8")
    code, said, _ = command(shop, "drift", "--contracts", str(tmp_path), "--table", "visits")
    assert code == 2
    assert "source: timestamp without time zone" in said
    assert "timestamp(Asia/Tokyo)" in said
