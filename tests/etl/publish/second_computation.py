"""Each view's numbers computed a second time, by PostgreSQL over copies of the published tables, in other words.

`k` is the smallest group that views show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from google.cloud import bigquery

from schemas.contract import Contract

_TYPES: Final = {
    "STRING": "text",
    "INTEGER": "bigint",
    "INT64": "bigint",
    "FLOAT": "double precision",
    "FLOAT64": "double precision",
    "NUMERIC": "numeric",
    "BIGNUMERIC": "numeric",
    "BOOLEAN": "boolean",
    "BOOL": "boolean",
    "DATE": "date",
    "DATETIME": "timestamp",
    "TIMESTAMP": "timestamptz",
    "BYTES": "bytea",
}

SECOND: Final[dict[str, str]] = {
    "daily_gmv": """
        WITH days AS (SELECT generate_series(min(authorized_on), max(authorized_on), '1 day')::date AS d FROM payments)
        SELECT d, s, (SELECT count(*) FROM payments WHERE authorized_on = d AND status = s),
            (SELECT count(DISTINCT member_id) FROM payments WHERE authorized_on = d AND status = s),
            (SELECT coalesce(sum(amount_jpy), 0) FROM payments WHERE authorized_on = d AND status = s),
            (SELECT coalesce(sum(amount_jpy), 0) FROM payments WHERE authorized_on = d AND status = s
                AND s = 'approved')
        FROM days, unnest(ARRAY['approved', 'declined', 'reversed']) AS s""",
    "application_funnel": """
        WITH days AS (SELECT generate_series(min(applied_on), max(applied_on), '1 day')::date AS d FROM applications),
        made AS (SELECT a.*,
            EXISTS (SELECT 1 FROM ekyc_documents e WHERE e.application_id = a.application_id) AS shown,
            EXISTS (SELECT 1 FROM credit_screenings s WHERE s.application_id = a.application_id) AS screened,
            EXISTS (SELECT 1 FROM credit_screenings s WHERE s.application_id = a.application_id
                AND s.decision = 'approved') AS approved,
            EXISTS (SELECT 1 FROM members m, cards c WHERE m.application_id = a.application_id
                AND c.member_id = m.member_id) AS issued
            FROM applications a)
        SELECT d, ch.channel, count(m.application_id), count(*) FILTER (WHERE shown), count(*) FILTER (WHERE screened),
            count(*) FILTER (WHERE approved), count(*) FILTER (WHERE issued),
            (count(*) FILTER (WHERE issued))::float8 / nullif(count(m.application_id), 0)
        FROM days CROSS JOIN (SELECT DISTINCT channel FROM applications) ch
        LEFT JOIN made m ON m.applied_on = d AND m.channel = ch.channel GROUP BY 1, 2""",
    "club_support": """
        WITH days AS (SELECT generate_series(min(authorized_on), max(authorized_on), '1 day')::date AS d FROM payments),
        last AS (SELECT * FROM clubs WHERE snapshot_date = (SELECT max(snapshot_date) FROM clubs))
        SELECT d, k.club_id, k.name, k.kind, count(p.payment_id), count(DISTINCT p.member_id),
            coalesce(sum(p.amount_jpy), 0), coalesce(sum(p.amount_jpy), 0) * max(k.support_rate)
        FROM days CROSS JOIN last k LEFT JOIN payments p
            ON p.authorized_on = d AND p.club_id = k.club_id AND p.status = 'approved'
        GROUP BY 1, 2, 3, 4""",
    "delinquency_by_age_band": """
        SELECT (SELECT birth_date FROM members m WHERE m.member_id = d.member_id), band, status, count(*),
            count(DISTINCT member_id), sum(principal), sum(late_fee)
        FROM delinquencies d WHERE deleted_at IS NULL GROUP BY 1, 2, 3 HAVING count(DISTINCT member_id) >= {k}""",
    "design_reaction": """
        WITH g AS (SELECT * FROM card_designs WHERE snapshot_date = (SELECT max(snapshot_date) FROM card_designs)),
        said AS (SELECT g.design_id, g.name, (SELECT name FROM clubs k WHERE k.club_id = g.club_id
                AND snapshot_date = (SELECT max(snapshot_date) FROM clubs)) AS club, g.limited,
            (SELECT count(*) FROM cards c WHERE c.design_id = g.design_id) AS cards,
            (SELECT count(activated_at) FROM cards c WHERE c.design_id = g.design_id) AS active,
            (SELECT count(*) FROM payments p, cards c WHERE p.card_id = c.card_id AND c.design_id = g.design_id
                AND p.status = 'approved') AS payments,
            (SELECT coalesce(sum(p.amount_jpy), 0) FROM payments p, cards c WHERE p.card_id = c.card_id
                AND c.design_id = g.design_id AND p.status = 'approved') AS gmv FROM g)
        SELECT *, gmv / nullif(cards, 0) FROM said""",
    "member_churn": """
        SELECT date_trunc('month', registered_on)::date, birth_date, count(*),
            sum(CASE WHEN status = 'withdrawn' THEN 1 ELSE 0 END),
            avg(CASE WHEN status = 'withdrawn' THEN 1.0 ELSE 0 END)
        FROM members GROUP BY 1, 2 HAVING count(*) >= {k}""",
    "repayment_rate": """
        SELECT month, count(*), sum(billed), sum(paid), sum(paid) / nullif(sum(billed), 0),
            avg((status = 'settled')::int), avg(coalesce((settled_on <= due_on)::int, 0))
        FROM statements GROUP BY 1""",
    "member_traits": """
        WITH paid AS (SELECT m.*, a.channel, (SELECT count(*) FROM payments p WHERE p.member_id = m.member_id
                AND p.status = 'approved') AS n, (SELECT coalesce(sum(amount_jpy), 0) FROM payments p
                WHERE p.member_id = m.member_id AND p.status = 'approved') AS gmv
            FROM members m, applications a WHERE a.application_id = m.application_id)
        SELECT birth_date, address, channel, count(*), count(*) FILTER (WHERE status = 'withdrawn'),
            count(*) FILTER (WHERE n > 0), sum(n), sum(gmv), sum(gmv) / count(*)
        FROM paid GROUP BY 1, 2, 3 HAVING count(*) >= {k}""",
    "payments_by_trait": """
        SELECT authorized_on, m.birth_date, a.channel, count(DISTINCT member_id), count(*), sum(amount_jpy),
            avg(amount_jpy)
        FROM payments p JOIN members m USING (member_id) JOIN applications a USING (application_id)
        WHERE p.status = 'approved' GROUP BY 1, 2, 3 HAVING count(DISTINCT member_id) >= {k}""",
    "unpaid_traits": """
        WITH open AS (SELECT * FROM delinquencies WHERE status = 'open' AND deleted_at IS NULL)
        SELECT birth_date, occupation, annual_income, count(DISTINCT m.member_id), count(DISTINCT o.member_id),
            count(DISTINCT o.member_id)::float8 / count(DISTINCT m.member_id), coalesce(sum(o.principal), 0),
            max(o.days_overdue)
        FROM members m LEFT JOIN open o USING (member_id) GROUP BY 1, 2, 3
        HAVING count(DISTINCT m.member_id) >= {k}""",
    "screening_outcome": """
        WITH known AS (SELECT m.member_id, s.score / 100 * 100 AS band, s.past_delinquency, s.other_debt,
            EXISTS (SELECT 1 FROM delinquencies d WHERE d.member_id = m.member_id AND deleted_at IS NULL) AS late,
            (SELECT sum(billed) FROM statements t WHERE t.member_id = m.member_id) AS billed,
            (SELECT sum(paid) FROM statements t WHERE t.member_id = m.member_id) AS paid
            FROM members m JOIN credit_screenings s USING (application_id))
        SELECT band, past_delinquency, other_debt, count(*), count(*) FILTER (WHERE late), avg(late::int),
            coalesce(sum(billed), 0), coalesce(sum(paid), 0), sum(paid) / nullif(sum(billed), 0)
        FROM known GROUP BY 1, 2, 3 HAVING count(*) >= {k}""",
    "vintage_delinquency": """
        WITH cohort AS (SELECT member_id, date_trunc('month', min(issued_on))::date AS born,
            (SELECT min(overdue_since) FROM delinquencies d WHERE d.member_id = c.member_id
                AND deleted_at IS NULL) AS late FROM cards c GROUP BY member_id),
        months AS (SELECT *, (extract(year FROM late) - extract(year FROM born)) * 12
            + extract(month FROM late) - extract(month FROM born) AS after FROM cohort),
        span AS (SELECT born, generate_series(0, ((extract(year FROM last) - extract(year FROM born)) * 12
            + extract(month FROM last) - extract(month FROM born))::int) AS n
            FROM (SELECT DISTINCT born FROM cohort) b, (SELECT max(closed_on) AS last FROM statements) s)
        SELECT born, n, count(*), count(*) FILTER (WHERE after <= n), avg(coalesce((after <= n)::int, 0))
        FROM span JOIN months USING (born) GROUP BY 1, 2 HAVING count(*) >= {k}""",
    "repayment_by_amount": """
        SELECT month, (SELECT max(floor) FROM unnest(ARRAY[0, 5000, 10000, 20000, 30000, 50000]) AS floor
            WHERE floor <= billed) AS floor, count(DISTINCT member_id), count(*), sum(billed), sum(paid),
            sum(paid) / nullif(sum(billed), 0), avg(coalesce((settled_on <= due_on)::int, 0))
        FROM statements GROUP BY 1, 2 HAVING count(DISTINCT member_id) >= {k}""",
    "repayment_correlation": """
        SELECT month, count(DISTINCT member_id), count(*), corr(billed::float8, (paid / billed)::float8), avg(billed),
            avg(paid / billed)
        FROM statements WHERE billed <> 0 GROUP BY 1 HAVING count(DISTINCT member_id) >= {k}""",
    "dunning_effect": """
        WITH days AS (SELECT generate_series(min(contacted_on), max(contacted_on), '1 day')::date AS d
            FROM dunning_contacts),
        made AS (SELECT t.*, (SELECT d.closed_on - t.contacted_on FROM delinquencies d
            WHERE d.delinquency_id = t.delinquency_id AND d.status = 'cured' AND d.deleted_at IS NULL
            AND d.closed_on >= t.contacted_on) AS after FROM dunning_contacts t)
        SELECT d, ch, count(m.contact_id), count(DISTINCT m.member_id), count(promised_on),
            coalesce(sum(promised_amount), 0), count(*) FILTER (WHERE after <= 7), count(*) FILTER (WHERE after <= 30),
            (count(*) FILTER (WHERE after <= 30))::float8 / nullif(count(m.contact_id), 0)
        FROM days CROSS JOIN unnest(ARRAY['sms', 'email', 'call', 'letter']) AS ch
        LEFT JOIN made m ON m.contacted_on = d AND m.channel = ch GROUP BY 1, 2""",
    "daily_rewards": """
        WITH days AS (SELECT generate_series(min(granted_on), max(granted_on), '1 day')::date AS d FROM rewards)
        SELECT d, s, count(r.reward_id), count(DISTINCT r.member_id), coalesce(sum(r.points), 0),
            coalesce(sum(r.value), 0)
        FROM days CROSS JOIN unnest(ARRAY['points', 'ticket', 'goods']) AS s
        LEFT JOIN rewards r ON r.granted_on = d AND r.kind = s GROUP BY 1, 2""",
    "reward_effect": """
        WITH k AS (SELECT * FROM clubs WHERE snapshot_date = (SELECT max(snapshot_date) FROM clubs)),
        fan AS (SELECT club_id, member_id, sum(amount_jpy) AS gmv, EXISTS (SELECT 1 FROM rewards r
                WHERE r.club_id = p.club_id AND r.member_id = p.member_id) AS given
            FROM payments p WHERE status = 'approved' GROUP BY 1, 2)
        SELECT k.club_id, k.name, count(f.member_id), count(*) FILTER (WHERE given), coalesce(sum(gmv), 0),
            avg(gmv) FILTER (WHERE given), avg(gmv) FILTER (WHERE NOT given)
        FROM k LEFT JOIN fan f USING (club_id) GROUP BY 1, 2""",
    "app_and_payments": """
        WITH used AS (SELECT day, platform, user_id, count(*) AS events, count(DISTINCT session) AS sessions
            FROM ga4 WHERE user_id IN (SELECT member_id FROM members) GROUP BY 1, 2, 3)
        SELECT day, platform, count(*), sum(events), sum(sessions),
            count(*) FILTER (WHERE EXISTS (SELECT 1 FROM payments p WHERE p.member_id = user_id
                AND p.authorized_on = day AND p.status = 'approved')),
            sum((SELECT count(*) FROM payments p WHERE p.member_id = user_id AND p.authorized_on = day
                AND p.status = 'approved')),
            coalesce(sum((SELECT sum(amount_jpy) FROM payments p WHERE p.member_id = user_id AND p.authorized_on = day
                AND p.status = 'approved')), 0)
        FROM used GROUP BY 1, 2 HAVING count(*) >= {k}""",
}


def copy_table(
    connection: psycopg.Connection[Any],
    contract: Contract,
    fields: Sequence[bigquery.SchemaField],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Copies a published table into the session's own tables, under its name without the dataset."""
    name = contract.publish.split(".")[1]
    columns = ", ".join(f'"{field.name}" {_TYPES[field.field_type]}' for field in fields)
    connection.execute(f"CREATE TEMP TABLE {name} ({columns})".encode())
    copying = f"COPY {name} FROM STDIN".encode()
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        for row in rows:
            copy.write_row(row)
