-- about: Open and past delinquencies by the member's age band and by days overdue.
-- about[ja]: 会員の年代と延滞日数ごとの、現在および過去の延滞。
-- grain: age_band, overdue_band, status
-- column age_band: Age in bands of ten years. | 10 歳ごとの年代。
-- column overdue_band: Days overdue in bands. | 延滞日数の区分。
-- column status: open, cured or written_off. | 延滞中・解消・貸倒れのいずれか。
-- column delinquencies: Number of delinquencies. | 延滞件数。
-- column members: Members who have them; groups of fewer than the settings' smallest group are not shown. | 該当する会員数。設定した最小人数に満たない区分は表示しない。
-- column principal_jpy: What was not paid, in yen. | 元本（円）。
-- column late_fee_jpy: Late fees in yen. | 遅延損害金（円）。
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
HAVING COUNT(DISTINCT d.member_id) >= @smallest_group
