-- One in four payments is announced to the member.
INSERT INTO messaging.notifications
SELECT p.payment_id * 2, p.member_id, (ARRAY['push', 'email', 'sms'])[k.way]::messaging.channel,
       CASE p.status WHEN 'declined' THEN 'payment_declined' ELSE 'payment_made' END,
       CASE k.way WHEN 1 THEN 'device:' || to_hex(synth.noise(p.card_id, 155)) WHEN 2 THEN m.email ELSE m.phone END,
       CASE WHEN k.way < 3 THEN p.pan END,
       m.name_kanji || '様 カード（末尾' || right(p.pan, 4) || '）で' || p.merchant_name || ' ' || p.amount_jpy || '円',
       ('{{"template_version": 3, "locale": "ja", "member_name": "' || m.name_kanji || '", "pan": "' || p.pan || '"}}')::jsonb,
       p.authorized_at + interval '3 seconds', CASE WHEN synth.below(3, p.r, 40) = 0 THEN p.authorized_at + (5 + synth.below(80000, p.r, 20)) * interval '1 second' END
FROM (
    SELECT *, synth.noise(payment_id, 181) AS r FROM ledger.payments
    WHERE authorized_at >= {days_from}::timestamptz AND authorized_at < ({days_to} + 1)::timestamptz
      AND authorized_at::date + synth.days_late(synth.noise(payment_id, 153), 20) BETWEEN {from} AND {to}
      AND synth.below(4, synth.noise(payment_id, 182), 0) = 0
    OFFSET 0
) AS p
CROSS JOIN LATERAL (SELECT 1 + synth.below(3, p.r, 0)::integer AS way) AS k
JOIN issuing.members AS m USING (member_id)
