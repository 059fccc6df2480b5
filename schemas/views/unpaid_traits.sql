-- about: Traits of members with an open delinquency beside all members: age band, occupation and income, for the credit model.
-- about[ja]: 延滞中の会員の属性（年代・職業・年収帯）を全会員と比べる。与信モデルのため。
-- grain: age_band, occupation, income_band
-- column age_band: Age in bands of ten years. | 10 歳ごとの年代。
-- column occupation: A code of four. | 職業区分。
-- column income_band: Annual income as a range in yen. | 年収帯（円）。
-- column members: Members; groups of fewer than the settings' smallest group are not shown. | 会員数。設定した最小人数に満たない区分は表示しない。
-- column unpaid_members: Of these, with an open delinquency. | うち延滞中の会員数。
-- column unpaid_rate: The share with an open delinquency. | 延滞中の割合。
-- column principal_jpy: What they have not paid, in yen. | 未払いの元本（円）。
-- column longest_days_overdue: The most days that one of them is overdue; empty where nobody is. | 最長の延滞日数。該当者がなければ空。
SELECT
  m.birth_date AS age_band,
  m.occupation,
  m.annual_income AS income_band,
  COUNT(*) AS members,
  COUNT(unpaid.member_id) AS unpaid_members,
  SAFE_DIVIDE(COUNT(unpaid.member_id), COUNT(*)) AS unpaid_rate,
  COALESCE(SUM(unpaid.principal), 0) AS principal_jpy,
  MAX(unpaid.days_overdue) AS longest_days_overdue
FROM issuing.members AS m
LEFT JOIN (
  SELECT member_id, SUM(principal) AS principal, MAX(days_overdue) AS days_overdue
  FROM collections.delinquencies
  WHERE status = 'open' AND deleted_at IS NULL
  GROUP BY member_id
) AS unpaid ON unpaid.member_id = m.member_id
GROUP BY age_band, m.occupation, income_band
HAVING COUNT(*) >= @smallest_group
