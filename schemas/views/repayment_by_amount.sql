-- about: Does who pays more repay less? Statements of a billing month by the amount billed: repaid money, settled in time, open.
-- about[ja]: 利用額が多いほど返済率は下がるか。請求月と請求額の区分ごとの返済状況。
-- grain: month, billed_from_jpy
-- date: month
-- column month: First day of the month that is billed. | 請求月の初日。
-- column billed_from_jpy: Lower end of the amount billed, in yen: 0, 5,000, 10,000, 20,000, 30,000 or 50,000. | 請求額の区分の下限（円）。
-- column members: Members; groups of fewer than the settings' smallest group are not shown. | 会員数。設定した最小人数に満たない区分は表示しない。
-- column statements: Statements. | 請求の件数。
-- column billed_jpy: Billed, in yen. | 請求額（円）。
-- column paid_jpy: Paid back so far, in yen. | これまでの入金額（円）。
-- column repayment_rate: Paid by billed. | 請求額に対する入金の割合。
-- column settled_in_time_rate: The share of statements settled by the due date. | 期日までに完済した請求の割合。
SELECT
  month,
  CASE
    WHEN billed < 5000 THEN 0
    WHEN billed < 10000 THEN 5000
    WHEN billed < 20000 THEN 10000
    WHEN billed < 30000 THEN 20000
    WHEN billed < 50000 THEN 30000
    ELSE 50000
  END AS billed_from_jpy,
  COUNT(DISTINCT member_id) AS members,
  COUNT(*) AS statements,
  SUM(billed) AS billed_jpy,
  SUM(paid) AS paid_jpy,
  SAFE_DIVIDE(SUM(paid), SUM(billed)) AS repayment_rate,
  SAFE_DIVIDE(COUNTIF(COALESCE(settled_on <= due_on, FALSE)), COUNT(*)) AS settled_in_time_rate
FROM ledger.statements
GROUP BY month, billed_from_jpy
HAVING COUNT(DISTINCT member_id) >= @smallest_group
