"""A view is one SELECT over published tables; everything else is refused by its words alone, before any database."""

from __future__ import annotations

import pytest

from schemas.view_query import query_problems

PUBLISHED = ["issuing.cards", "ledger.payments"]
PRODUCT = ("ops", "looker")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM issuing.cards",
        "SELECT c.kind, p.x FROM `issuing.cards` AS c LEFT JOIN ledger.payments p ON p.card_id = c.card_id",
        "SELECT * FROM issuing.cards, ledger.payments",
        "SELECT * FROM (issuing.cards AS c JOIN ledger.payments AS p USING (card_id))",
        "WITH x AS (SELECT * FROM issuing.cards), y AS (SELECT 1) SELECT * FROM x, y JOIN x AS z ON TRUE",
        "SELECT * FROM (SELECT a, b FROM issuing.cards GROUP BY a, b) AS c, UNNEST([1, 2]) AS n ORDER BY 1, 2",
        "SELECT EXTRACT(DAY FROM at), a IS NOT DISTINCT FROM b, TRIM(x) FROM issuing.cards WHERE x IN (1, 2)",
        "SELECT '; DROP TABLE ops.leases', \"FROM ops.leases\", r'\\' FROM issuing.cards -- ; FROM other.table",
        "SELECT '''it's FROM other.t''' /* FROM other.t */ FROM issuing.cards # FROM other.t",
        "SELECT SAFE.PARSE_DATE('%F', day), NET.HOST(x) FROM issuing.cards",
        "SELECT (SELECT MAX(at) FROM ledger.payments) FROM issuing.cards UNION ALL SELECT at FROM ledger.payments",
        "SELECT a[0].b, f(x).`from`, 1.5, .5, 1.e5, `where` FROM `issuing` . `cards` WHERE `order` = 1.",
    ],
)
def test_a_select_over_published_tables_passes(sql: str) -> None:
    """Joins, subqueries by name or in parentheses, literals, comments and BigQuery's own functions are allowed."""
    assert query_problems(sql, PUBLISHED, PRODUCT) == ()


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("", "is not a SELECT"),
        ("CREATE TABLE issuing.x AS SELECT 1", "is not a SELECT"),
        ("DELETE FROM issuing.cards WHERE TRUE", "is not a SELECT"),
        ("FROM issuing.cards |> SELECT *", "is not a SELECT"),
        ("SELECT 1; DROP TABLE issuing.cards", "is not one SELECT statement in plain words"),
        ("SELECT 1 FROM issuing.cards |> CALL f()", "is not one SELECT statement in plain words"),
        ("SELECT `a\\`` FROM ops.leases AS `b`", "is not one SELECT statement in plain words"),
        ("SELECT * FROM ops.leases", "names dataset ops, which belongs to the product"),
        ("SELECT * FROM `local`.`OPS`.leases", "names dataset ops, which belongs to the product"),
        ("SELECT * FROM looker.daily_gmv", "names dataset looker, which belongs to the product"),
        ("SELECT * FROM issuing.cards AS ops, ops.leases", "names dataset ops, which belongs to the product"),
        ("SELECT * FROM `ops.token_map_member`", "reads ops.token_map_member, which no contract publishes"),
        ("SELECT * FROM `ops.*`", "reads ops.*, which no contract publishes"),
        ("SELECT * FROM issuing.cards, other.t", "reads other.t, which no contract publishes"),
        ("SELECT * FROM issuing.cards JOIN other.t USING (a)", "reads other.t, which no contract publishes"),
        ("SELECT * FROM (issuing.cards JOIN other.t USING (a))", "reads other.t, which no contract publishes"),
        ("SELECT (SELECT MAX(a) FROM other.t) FROM issuing.cards", "reads other.t, which no contract publishes"),
        ("WITH x AS (SELECT * FROM other.t) SELECT * FROM x", "reads other.t, which no contract publishes"),
        ("SELECT 1 UNION ALL SELECT * FROM other.t", "reads other.t, which no contract publishes"),
        ("SELECT EXTRACT(DAY FROM (SELECT a FROM other.t)) FROM issuing.cards", "reads other.t, which no"),
        ("SELECT 1 FROM/**/other.t", "reads other.t, which no contract publishes"),
        ("SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1')", "reads EXTERNAL_QUERY, which no contract publishes"),
        ("SELECT * FROM issuing.INFORMATION_SCHEMA.TABLES", "reads issuing.INFORMATION_SCHEMA.TABLES, which no"),
        ("SELECT * FROM issuing.cards(1)", "reads issuing.cards, which no contract publishes"),
        ("SELECT other.f(pan) FROM issuing.cards", "calls other.f, which is no function of BigQuery's own"),
        ("SELECT SAFE.other.f(pan) FROM issuing.cards", "calls SAFE.other.f, which is no function of BigQuery's own"),
        ("SELECT 1 AS `distinct` FROM other.t", "reads other.t, which no contract publishes"),
        ("SELECT 1 FROM issuing.cards AS `where`, other.t", "reads other.t, which no contract publishes"),
        ("SELECT `trim`(SELECT 1 FROM other.t)", "reads other.t, which no contract publishes"),
        ("SELECT 1 FROM `select`", "reads select, which no contract publishes"),
        ("SELECT 1 FROM issuing.cards JOIN x ON y[0].where = 1, other.t", "reads other.t, which no contract publishes"),
        ("SELECT 1.FROM other.t", "reads other.t, which no contract publishes"),
        ("SELECT 1, (SELECT .5FROM other.t) FROM issuing.cards", "reads other.t, which no contract publishes"),
        ("SELECT 1 FROM issuing.cards -- a line\r, other.t", "reads other.t, which no contract publishes"),
        ("WITH a AS (SELECT 1) SELECT 1 FROM a-project.other.t", "reads a-…, which no contract publishes"),
        ("WITH other AS (SELECT 1) SELECT 1 FROM other.5t", "reads other.…, which no contract publishes"),
        ("WITH ops AS (SELECT 1) SELECT 1 FROM ops/**/.leases", "names dataset ops, which belongs to the product"),
    ],
)
def test_everything_else_is_refused(sql: str, problem: str) -> None:
    """Other statements, other tables wherever they are named, the product's datasets, and functions of datasets."""
    assert [found for found in query_problems(sql, PUBLISHED, PRODUCT) if found.startswith(problem)]
