-- about: GMV in yen and number of payments a business day (JST) and status; GMV is the approved amount.
SELECT
  authorized_on AS business_date,
  status,
  COUNT(*) AS payments,
  COUNT(DISTINCT member_id) AS members,
  SUM(amount_jpy) AS amount_jpy,
  SUM(IF(status = 'approved', amount_jpy, 0)) AS gmv_jpy
FROM ledger.payments
GROUP BY business_date, status
