-- What members paid back, one row when the money is posted.
INSERT INTO ledger.repayments
SELECT p.statement_id * 4 + p.nth, p.statement_id, p.member_id,
       (ARRAY['bank_account', 'bank_transfer', 'convenience_store', 'atm'])[w.way]::ledger.repayment_method, p.amount,
       CASE WHEN w.way < 3 THEN m.name_kana END,
       CASE WHEN w.way < 3 AND m.bank_code IS NOT NULL THEN m.bank_code || '-' || m.branch_code || '-' || m.account_number END,
       CASE w.way WHEN 3 THEN 'R' || synth.digits(p.r & 4294967295, 10) END,
       CASE WHEN synth.below(40, p.r, 20) = 0 THEN '振込名義 ' || m.name_kana || ' ' || m.phone WHEN synth.below(40, p.r, 20) = 1 THEN '残りは来月' END,
       p.paid_on::timestamptz + CASE synth.below(50, p.r, 40) WHEN 0 THEN interval '0' WHEN 1 THEN interval '08:59:59.999999' WHEN 2 THEN interval '23:59:59.999999'
                                                              ELSE synth.below(86399, p.r, 20) * interval '1 second' END,
       p.posted_on::timestamptz + interval '23:59:59.999999'
FROM (
    SELECT *, synth.noise(statement_id * 4 + nth, 201) AS r
    FROM (
        SELECT c.statement_id, c.member_id, nth, CASE nth WHEN 1 THEN a1 WHEN 2 THEN a2 ELSE a3 END AS amount,
               CASE nth WHEN 1 THEN d1 WHEN 2 THEN d2 ELSE d3 END AS paid_on, CASE nth WHEN 1 THEN p1 WHEN 2 THEN p2 ELSE p3 END AS posted_on
        FROM synth.repayment_courses() AS c, generate_series(1, 3) AS nth
        OFFSET 0
    ) AS p
    WHERE posted_on BETWEEN {from} AND {to} AND amount > 0
    OFFSET 0
) AS p
CROSS JOIN LATERAL (SELECT 1 + synth.below(4, p.r, 0)::integer AS way) AS w
JOIN issuing.members AS m ON m.member_id = p.member_id
