-- A month is billed on the fifth of the next: what was cleared in it; months that began before {first} have made-up sums.
WITH months AS MATERIALIZED (
    SELECT month, (month + interval '1 month')::timestamptz AS ends,
           (extract(year FROM month) * 12 + extract(month FROM month) - 23800)::bigint * 10000000 AS first_id
    FROM (VALUES ({month}::date)) AS given (month)
    WHERE (month + interval '1 month 4 days')::date BETWEEN {from} AND {to}
)
INSERT INTO synth.bills
SELECT s.first_id + m.member_id, m.member_id, s.month,
       300 + floor(synth.unit(r, 0) * synth.unit(synth.noise(m.member_id, 191), 0) * 60000)::bigint
FROM months AS s
JOIN issuing.members AS m ON m.registered_at < s.ends
CROSS JOIN LATERAL (SELECT synth.noise(m.member_id, 10000 + (s.month - date '2000-01-01')) AS r OFFSET 0) AS r
WHERE s.month < {first} AND synth.below(10, r, 20) < 7 AND m.member_id < 900000000000
UNION ALL
SELECT s.first_id + k.member_id, k.member_id, s.month, sum(c.amount_jpy)::bigint
FROM months AS s
JOIN ledger.clearings AS c ON c.cleared_at >= s.month::timestamptz AND c.cleared_at < s.ends
JOIN issuing.cards AS k USING (card_id)
WHERE s.month >= {first} AND k.member_id < 900000000000
GROUP BY s.first_id, k.member_id, s.month
