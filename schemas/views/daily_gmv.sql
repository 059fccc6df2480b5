-- about: GMV in yen and number of payments a business day (JST) and status; GMV is the approved amount.
-- about[ja]: 営業日（JST）とステータスごとの取扱高（円）と決済件数。取扱高は承認された金額。
-- grain: business_date, status
-- date: business_date
-- column business_date: The business day in Japan; days without payments are there with zeros. | 日本の営業日。決済のない日も 0 として含む。
-- column status: approved, declined or reversed. | 承認・否決・取消のいずれか。
-- column payments: Number of payments. | 決済件数。
-- column members: Members who paid. | 決済した会員数。
-- column amount_jpy: Amount in yen, whatever its status. | 金額（円）。ステータスを問わない。
-- column gmv_jpy: Approved amount in yen. | 承認された金額（円）。
SELECT
  business_date,
  status,
  COUNT(payment_id) AS payments,
  COUNT(DISTINCT member_id) AS members,
  SUM(amount_jpy) AS amount_jpy,
  SUM(IF(status = 'approved', amount_jpy, 0)) AS gmv_jpy
FROM (
  SELECT p.authorized_on AS business_date, p.status, p.payment_id, p.member_id, p.amount_jpy
  FROM ledger.payments AS p
  UNION ALL
  SELECT business_date, status, NULL, NULL, 0
  FROM (SELECT MIN(authorized_on) AS first_day, MAX(authorized_on) AS last_day FROM ledger.payments) AS span
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(span.first_day, span.last_day)) AS business_date
  CROSS JOIN UNNEST(['approved', 'declined', 'reversed']) AS status
)
GROUP BY business_date, status
