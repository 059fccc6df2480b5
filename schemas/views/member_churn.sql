-- about: Members who joined a month (JST) and how many of them left, by age band.
-- about[ja]: 入会月（JST）ごとの会員数と退会数（年代別）。
-- grain: joined_month, age_band
-- date: joined_month
-- column joined_month: First day of the month of joining. | 入会月の初日。
-- column age_band: Age in bands of ten years. | 10 歳ごとの年代。
-- column members: Members who joined; groups of fewer than the settings' smallest group are not shown. | 入会した会員数。設定した最小人数に満たない区分は表示しない。
-- column withdrawn: Of these, gone since. | うち退会した会員数。
-- column churn_rate: The share that is gone. | 退会の割合。
SELECT
  DATE_TRUNC(registered_on, MONTH) AS joined_month,
  birth_date AS age_band,
  COUNT(*) AS members,
  COUNTIF(status = 'withdrawn') AS withdrawn,
  SAFE_DIVIDE(COUNTIF(status = 'withdrawn'), COUNT(*)) AS churn_rate
FROM issuing.members
GROUP BY joined_month, age_band
HAVING COUNT(*) >= @smallest_group
