-- Payments that are taken back in the window.
UPDATE ledger.payments AS p
SET status = 'reversed', updated_at = synth.reversed_on(payment_id, authorized_at::date)::timestamptz + interval '4 hours'
WHERE authorized_at >= ({from} - 3)::timestamptz AND authorized_at < {to}::timestamptz AND status = 'approved'
  AND synth.reversed_on(payment_id, authorized_at::date) BETWEEN {from} AND {to}
