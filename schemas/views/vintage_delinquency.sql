-- about: Vintage curves: of the members whose first card was issued in a month (JST), the share that had ever been delinquent by each month since.
-- about[ja]: ビンテージ曲線。初回発行月（JST）ごとに、経過月までに一度でも延滞した会員の割合。
-- grain: issued_month, months_since
-- date: issued_month
-- column issued_month: First day of the month of the member's first card. | 初回カード発行月の初日。
-- column months_since: Months from then on, from 0 to the last month that was billed. | 発行からの経過月数（0 から最後の請求月まで）。
-- column members: Members whose first card is of that month; groups of fewer than the settings' smallest group are not shown. | その月に初めて発行された会員数。設定した最小人数に満たない区分は表示しない。
-- column delinquent_members: Of these, with a delinquency that began by then. | うちその時点までに延滞が始まった会員数。
-- column delinquency_rate: The share of them. | その割合。
SELECT
  cohort.issued_month,
  months_since,
  COUNT(DISTINCT cohort.member_id) AS members,
  COUNT(DISTINCT IF(DATE_DIFF(late.overdue_since, cohort.issued_month, MONTH) <= months_since, cohort.member_id, NULL)) AS delinquent_members,
  SAFE_DIVIDE(
    COUNT(DISTINCT IF(DATE_DIFF(late.overdue_since, cohort.issued_month, MONTH) <= months_since, cohort.member_id, NULL)),
    COUNT(DISTINCT cohort.member_id)
  ) AS delinquency_rate
FROM (
  SELECT member_id, DATE_TRUNC(MIN(issued_on), MONTH) AS issued_month
  FROM issuing.cards
  GROUP BY member_id
) AS cohort
CROSS JOIN (SELECT MAX(closed_on) AS last_day FROM ledger.statements) AS billed
CROSS JOIN UNNEST(GENERATE_ARRAY(0, DATE_DIFF(billed.last_day, cohort.issued_month, MONTH))) AS months_since
LEFT JOIN (
  SELECT member_id, MIN(overdue_since) AS overdue_since
  FROM collections.delinquencies
  WHERE deleted_at IS NULL
  GROUP BY member_id
) AS late ON late.member_id = cohort.member_id
GROUP BY cohort.issued_month, months_since
HAVING COUNT(DISTINCT cohort.member_id) >= @smallest_group
