-- One in twelve approved payments on a club's card earns something from the club, the day the payment reaches the database.
INSERT INTO community.rewards
SELECT p.payment_id, p.member_id, p.club_id, p.payment_id, (ARRAY['points', 'points', 'points', 'ticket', 'goods'])[k.kind]::community.reward_kind,
       (p.amount_jpy / 100)::integer, CASE WHEN k.kind > 3 THEN 500 + 100 * synth.below(50, p.r, 20) END,
       CASE k.kind WHEN 5 THEN m.name_kanji END, CASE k.kind WHEN 5 THEN m.postal_code END, CASE k.kind WHEN 5 THEN m.address END,
       CASE synth.below(9, p.r, 40) WHEN 0 THEN '応援しています！ ' || m.name_kanji WHEN 1 THEN '届いたら ' || m.phone || ' に電話してください'
                                    WHEN 2 THEN 'いつもありがとう' WHEN 3 THEN m.email || ' にチケットを送ってください' END,
       CASE WHEN k.kind < 4 THEN p.authorized_at::date + 365 END, p.authorized_at + interval '20 seconds'
FROM (
    SELECT *, synth.noise(payment_id, 171) AS r FROM ledger.payments
    WHERE club_id IS NOT NULL AND status <> 'declined'
      AND authorized_at >= {days_from}::timestamptz AND authorized_at < ({days_to} + 1)::timestamptz
      AND authorized_at::date + synth.days_late(synth.noise(payment_id, 153), 20) BETWEEN {from} AND {to}
    OFFSET 0
) AS p
CROSS JOIN LATERAL (SELECT 1 + synth.below(5, p.r, 0)::integer AS kind) AS k
JOIN issuing.members AS m USING (member_id)
WHERE synth.below(12, synth.noise(p.payment_id, 172), 0) = 0
