-- about: GMV in yen and number of payments a business day (JST) and status; GMV is the approved amount.
-- about[ja]: 営業日（JST）とステータスごとの取扱高（円）と決済件数。取扱高は承認された金額。
SELECT
  authorized_on AS business_date,
  status,
  COUNT(*) AS payments,
  COUNT(DISTINCT member_id) AS members,
  SUM(amount_jpy) AS amount_jpy,
  SUM(IF(status = 'approved', amount_jpy, 0)) AS gmv_jpy
FROM ledger.payments
GROUP BY business_date, status
