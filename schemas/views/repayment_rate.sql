-- about: What was billed and paid back a billing month: rate of the money, and of the statements that are settled or settled in time.
-- about[ja]: 請求月ごとの請求額と入金額。金額の返済率と、完済・期日内完済となった請求の割合。
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
