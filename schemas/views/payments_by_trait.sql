-- about: Approved payments a business day (JST) by the member's age band and channel of application.
-- about[ja]: 営業日（JST）ごとの承認済み決済（会員の年代と申込経路別）。
-- grain: business_date, age_band, channel
-- date: business_date
-- column business_date: The business day in Japan. | 日本の営業日。
-- column age_band: Age in bands of ten years. | 10 歳ごとの年代。
-- column channel: How the member's application came. | 申込経路。
-- column members: Members who paid; groups of fewer than the settings' smallest group are not shown. | 決済した会員数。設定した最小人数に満たない区分は表示しない。
-- column payments: Approved payments. | 承認済み決済の件数。
-- column gmv_jpy: Their amount in yen. | 決済金額（円）。
-- column average_jpy: Amount a payment, in yen. | 決済 1 件あたりの金額（円）。
SELECT
  p.authorized_on AS business_date,
  m.birth_date AS age_band,
  a.channel,
  COUNT(DISTINCT p.member_id) AS members,
  COUNT(*) AS payments,
  SUM(p.amount_jpy) AS gmv_jpy,
  SAFE_DIVIDE(SUM(p.amount_jpy), COUNT(*)) AS average_jpy
FROM ledger.payments AS p
JOIN issuing.members AS m ON m.member_id = p.member_id
JOIN issuing.applications AS a ON a.application_id = m.application_id
WHERE p.status = 'approved'
GROUP BY business_date, age_band, a.channel
HAVING COUNT(DISTINCT p.member_id) >= @smallest_group
