-- about: What was billed and paid back a billing month: rate of the money, and of the statements that are settled or settled in time.
-- about[ja]: 請求月ごとの請求額と入金額。金額の返済率と、完済・期日内完済となった請求の割合。
-- grain: month
-- date: month
-- column month: First day of the month that is billed. | 請求月の初日。
-- column statements: Statements of the month. | 請求の件数。
-- column billed_jpy: Billed, in yen. | 請求額（円）。
-- column paid_jpy: Paid back so far, in yen. | これまでの入金額（円）。
-- column repayment_rate: Paid by billed. | 請求額に対する入金の割合。
-- column settled_rate: The share of statements that are settled. | 完済した請求の割合。
-- column settled_in_time_rate: The share that was settled by its due date. | 期日までに完済した請求の割合。
SELECT
  month,
  COUNT(*) AS statements,
  SUM(billed) AS billed_jpy,
  SUM(paid) AS paid_jpy,
  SAFE_DIVIDE(SUM(paid), SUM(billed)) AS repayment_rate,
  SAFE_DIVIDE(COUNTIF(status = 'settled'), COUNT(*)) AS settled_rate,
  SAFE_DIVIDE(COUNTIF(settled_on <= due_on), COUNT(*)) AS settled_in_time_rate
FROM ledger.statements
GROUP BY month
