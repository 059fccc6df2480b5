-- Each statement is announced by e-mail.
INSERT INTO messaging.notifications
SELECT s.statement_id * 2 + 1, s.member_id, 'email', 'statement_issued', m.email, NULL, m.name_kanji || '様 ' || to_char(s.month, 'FMMM') || '月のご利用は' || s.billed || '円です',
       ('{{"template_version": 2, "locale": "ja", "account": "' || coalesce(m.account_number, '') || '"}}')::jsonb,
       s.issued_at + synth.below(3600, r.r, 0) * interval '1 second', CASE WHEN synth.below(2, r.r, 20) = 0 THEN s.issued_at + interval '2 hours' + synth.below(80000, r.r, 40) * interval '1 second' END
FROM ledger.statements AS s
JOIN issuing.members AS m USING (member_id)
CROSS JOIN LATERAL (SELECT synth.noise(s.statement_id, 183) AS r OFFSET 0) AS r
WHERE s.closed_on BETWEEN {from} AND {to}
