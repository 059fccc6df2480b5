-- about: Open and past delinquencies by the member's age band and by days overdue.
-- about[ja]: 会員の年代と延滞日数ごとの、現在および過去の延滞。
SELECT
  m.birth_date AS age_band,
  d.band AS overdue_band,
  d.status,
  COUNT(*) AS delinquencies,
  COUNT(DISTINCT d.member_id) AS members,
  SUM(d.principal) AS principal_jpy,
  SUM(d.late_fee) AS late_fee_jpy
FROM collections.delinquencies AS d
JOIN issuing.members AS m ON m.member_id = d.member_id
WHERE d.deleted_at IS NULL
GROUP BY age_band, overdue_band, d.status
