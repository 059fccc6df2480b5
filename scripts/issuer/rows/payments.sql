-- The payments that reach the database from {from} to {to}, late ones of the two days before included.
INSERT INTO ledger.payments
SELECT q.payment_id, q.card_id, q.member_id, q.pan, q.merchant_id, q.name, q.category,
       CASE WHEN q.currency = 'JPY' THEN q.yen WHEN q.currency = 'USD' THEN q.yen * 100 / 140 * 0.01 ELSE q.yen * 100 / 155 * 0.01 END,
       q.currency, q.yen, q.status,
       CASE WHEN q.status = 'declined' THEN CASE WHEN q.card_closed THEN 'card_closed'
            ELSE (ARRAY['insufficient_limit', 'wrong_cvv2', 'suspected_fraud'])[1 + synth.below(3, q.b, 0)] END END,
       q.entry, q.category IN ('4900', '5815'), CASE WHEN synth.below(5, q.b, 0) > 0 THEN q.club_id END, q.authorized_at,
       CASE WHEN q.memo < 120 THEN
           CASE WHEN q.memo >= 30 THEN (ARRAY['家賃', '会社の経費', 'プレゼント', '推し活', '定期代', 'ランチ', '割り勘 後で精算', '返品予定', 'ギフト🎁'])[1 + q.memo % 9]
                WHEN q.memo >= 18 THEN 'カード ' || synth.spelled(q.pan, q.memo % 4) || ' で支払い'
                WHEN q.memo >= 10 THEN '領収書は kage.' || q.member_id || '@example.co.jp へ'
                WHEN q.memo >= 4 THEN '連絡先 ' || synth.phone(q.c)
                ELSE q.pan || '（家族カードの番号）' END
       END,
       CASE WHEN q.entry = 'ecommerce' THEN CASE WHEN q.c & 15 = 0 THEN '2001:db8::'::inet ELSE '100.64.0.0'::inet END + ((q.c >> 8) & 1048575) END,
       CASE WHEN q.entry = 'ecommerce' THEN ('{{"os": "' || (ARRAY['iOS 16.6', 'Android 13', 'Windows 11'])[1 + synth.below(3, q.b, 20)]
           || '", "device_id": "' || to_hex(synth.noise(q.card_id, 155)) || '"}}')::jsonb END,
       CASE WHEN q.status = 'reversed' THEN synth.reversed_on(q.payment_id, q.day)::timestamptz + interval '4 hours' ELSE q.authorized_at END
FROM (
    SELECT p.payment_id, p.day, p.b, p.c, p.yen, p.authorized_at, c.card_id, c.member_id, c.pan, d.club_id, m.merchant_id, m.name, m.category,
           synth.below(1000, p.c, 40) AS memo, p.day > c.closed_at::date AS card_closed,
           CASE WHEN p.c & 63 <> 1 THEN 'JPY' WHEN p.b & 1 = 0 THEN 'USD' ELSE 'EUR' END AS currency,
           CASE WHEN p.day > c.closed_at::date OR synth.below(1000, p.c, 0) < 35 THEN 'declined'::ledger.payment_status
                WHEN synth.reversed_on(p.payment_id, p.day) <= {to} THEN 'reversed'::ledger.payment_status
                ELSE 'approved'::ledger.payment_status END AS status,
           CASE WHEN m.online OR p.c & 63 = 1 THEN 'ecommerce' ELSE (ARRAY['contactless', 'chip', 'magstripe'])[1 + ((p.b >> 3) & 3) * 2 / 3] END AS entry
    FROM (
        SELECT d.day, d.cards, d.first_payment + j AS payment_id, a, b, c,
               10 + floor(synth.unit(a, 0) * synth.unit(b, 0) * 9000)::bigint * CASE WHEN (a >> 60) & 7 = 0 THEN 6 ELSE 1 END AS yen,
               -- The first payments of a day stand on the very edges of the business day (JST) and of the UTC day.
               d.starts + CASE j WHEN 0 THEN interval '0' WHEN 1 THEN interval '0.000001 second' WHEN 2 THEN interval '08:59:59.999999'
                                 WHEN 3 THEN interval '9 hours' WHEN 4 THEN interval '9 hours 0.000001 second' WHEN 5 THEN interval '23:59:59.999999'
                                 ELSE interval '1 second' * (((a >> 12) & 65535) * 86399 / 65536 + ((a >> 30) & 511) * 0.001953125::double precision) END AS authorized_at
        FROM (
            SELECT d.*, j, synth.noise(d.first_payment + j, 151) AS a, synth.noise(d.first_payment + j, 152) AS b, synth.noise(d.first_payment + j, 153) AS c
            FROM synth.days AS d
            CROSS JOIN LATERAL generate_series(0, d.payments - 1) AS j
            WHERE d.day BETWEEN {days_from} AND {days_to}
            OFFSET 0
        ) AS d
        WHERE d.day + synth.days_late(c, 20) BETWEEN {from} AND {to}
        OFFSET 0
    ) AS p
    -- A few members pay often, most seldom: the square favors the older cards.
    JOIN issuing.cards AS c ON c.card_id = 1 + floor(synth.unit(p.a, 20) * synth.unit(p.a, 20) * p.cards)::bigint
    JOIN issuing.card_designs AS d USING (design_id)
    JOIN synth.merchants AS m ON m.n = synth.below(480, p.b, 40)
    OFFSET 0
) AS q
