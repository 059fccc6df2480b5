-- about: Members who joined a month (JST) and how many of them left, by age band.
-- about[ja]: 入会月（JST）ごとの会員数と退会数（年代別）。
SELECT
  DATE_TRUNC(registered_on, MONTH) AS joined_month,
  birth_date AS age_band,
  COUNT(*) AS members,
  COUNTIF(status = 'withdrawn') AS withdrawn,
  SAFE_DIVIDE(COUNTIF(status = 'withdrawn'), COUNT(*)) AS churn_rate
FROM issuing.members
GROUP BY joined_month, age_band
