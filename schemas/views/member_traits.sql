-- about: Members by age band, prefecture and channel: how many there are, how many left, what they pay.
-- about[ja]: 年代・都道府県・申込経路ごとの会員数、退会数、利用額。
-- grain: age_band, prefecture, channel
-- column age_band: Age in bands of ten years. | 10 歳ごとの年代。
-- column prefecture: Where the member lives. | 居住する都道府県。
-- column channel: How the member's application came. | 申込経路。
-- column members: Members; groups of fewer than the settings' smallest group are not shown. | 会員数。設定した最小人数に満たない区分は表示しない。
-- column withdrawn: Of these, gone since. | うち退会した会員数。
-- column paying_members: Of these, with an approved payment in the loaded days. | うち読み込まれた期間に承認済み決済がある会員数。
-- column payments: Their approved payments. | 承認済み決済の件数。
-- column gmv_jpy: Their amount in yen. | 決済金額（円）。
-- column gmv_per_member_jpy: Amount a member, in yen. | 会員 1 人あたりの金額（円）。
SELECT
  m.birth_date AS age_band,
  m.address AS prefecture,
  a.channel,
  COUNT(*) AS members,
  COUNTIF(m.status = 'withdrawn') AS withdrawn,
  COUNT(paid.member_id) AS paying_members,
  COALESCE(SUM(paid.payments), 0) AS payments,
  COALESCE(SUM(paid.gmv_jpy), 0) AS gmv_jpy,
  SAFE_DIVIDE(COALESCE(SUM(paid.gmv_jpy), 0), COUNT(*)) AS gmv_per_member_jpy
FROM issuing.members AS m
JOIN issuing.applications AS a ON a.application_id = m.application_id
LEFT JOIN (
  SELECT member_id, COUNT(*) AS payments, SUM(amount_jpy) AS gmv_jpy
  FROM ledger.payments
  WHERE status = 'approved'
  GROUP BY member_id
) AS paid ON paid.member_id = m.member_id
GROUP BY age_band, prefecture, a.channel
HAVING COUNT(*) >= @smallest_group
