-- The merchant's bank claims the money one to three days after the authorization; payments that are taken back are never claimed.
INSERT INTO ledger.clearings
SELECT synth.key(1005, p.payment_id), p.payment_id, p.card_id, p.pan,
       '7' || synth.digits(p.r & 2147483647, 10) || synth.digits(p.payment_id, 12),
       p.amount, p.currency, p.amount_jpy, p.amount_jpy * 0.0125, CASE WHEN p.currency <> 'JPY' THEN round(p.amount_jpy / p.amount, 8) END, p.cleared_at
FROM (
    SELECT p.*, (p.day + p.delay)::timestamptz + CASE WHEN p.payment_id % 1000 = 0 THEN interval '0' WHEN p.payment_id % 1000 = 1 THEN interval '08:59:59.999999'
                                                      ELSE interval '5 hours' + synth.below(50000, p.r, 0) * interval '1 second' END AS cleared_at
    FROM (
        SELECT p.*, synth.days_late(synth.noise(p.payment_id, 153), 20) + 1 + synth.below(3, p.r, 20)::integer AS delay,
               synth.days_late(p.r, 40) AS late
        FROM (
            SELECT payment_id, card_id, pan, amount, currency, amount_jpy, authorized_at::date AS day, synth.noise(payment_id, 161) AS r
            FROM ledger.payments
            WHERE status = 'approved' AND authorized_at >= ({days_from} - 7)::timestamptz AND authorized_at < ({days_to} + 1)::timestamptz
              AND synth.reversed_on(payment_id, authorized_at::date) IS NULL
            OFFSET 0
        ) AS p
        OFFSET 0
    ) AS p
    WHERE p.day + p.delay + p.late BETWEEN {from} AND {to}
) AS p
