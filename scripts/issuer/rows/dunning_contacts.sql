-- The issuer asks on the 3rd, 10th, 25th and 50th day for as long as the delinquency is open.
INSERT INTO collections.dunning_contacts
SELECT d.delinquency_id * 8 + s.step, d.delinquency_id, d.member_id, CASE WHEN s.step > 2 THEN 2 + 5 * synth.below(6, s.r, 0) END,
       (ARRAY['sms', 'email', 'call', 'letter'])[s.step]::collections.contact_channel, CASE WHEN s.step IN (1, 3) THEN m.phone END, CASE s.step WHEN 2 THEN m.email END,
       CASE s.step WHEN 3 THEN k.pan END, (ARRAY['no_answer', 'promised', 'disputed', 'delivered'])[1 + synth.below(4, s.r, 20)],
       CASE WHEN synth.below(4, s.r, 20) = 1 THEN d.principal END, CASE WHEN synth.below(4, s.r, 20) = 1 THEN s.day + 7 END,
       CASE s.step WHEN 3 THEN CASE synth.below(5, s.r, 40) WHEN 0 THEN '本人確認 ' || m.name_kanji || ' 生年月日 ' || to_char(m.birth_date, 'YYYY/MM/DD')
           WHEN 1 THEN 'カード番号 ' || synth.spelled(k.pan, 1) || ' を読み上げて確認' WHEN 2 THEN '折り返し先 ' || m.phone || ' / ' || m.email ELSE '留守' END END,
       s.day::timestamptz + interval '9 hours' + synth.below(36000, s.r, 20) * interval '1 second'
FROM collections.delinquencies AS d
CROSS JOIN LATERAL (
    SELECT step, d.overdue_since - 1 + days AS day, synth.noise(d.delinquency_id * 8 + step, 211) AS r
    FROM (VALUES (1, 3), (2, 10), (3, 25), (4, 50)) AS v (step, days)
    WHERE d.overdue_since - 1 + days BETWEEN {from} AND {to} AND (d.closed_on IS NULL OR d.closed_on > d.overdue_since - 1 + days)
) AS s
JOIN issuing.members AS m USING (member_id)
JOIN (SELECT DISTINCT ON (member_id) member_id, pan FROM issuing.cards ORDER BY member_id, card_id) AS k USING (member_id)
