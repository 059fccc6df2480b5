-- about: Correlation of the amount billed with the share of it that was paid back, over the statements of a billing month.
-- about[ja]: 請求月ごとの、請求額と返済割合の相関。
-- grain: month
-- date: month
-- column month: First day of the month that is billed. | 請求月の初日。
-- column members: Members; months of fewer than the settings' smallest group are not shown. | 会員数。設定した最小人数に満たない月は表示しない。
-- column statements: Statements with an amount. | 請求額のある請求の件数。
-- column correlation: Pearson's coefficient, from -1 (who pays more repays less) to 1; empty where all are equal. | ピアソンの相関係数（-1〜1）。すべて同じ値なら空。
-- column average_billed_jpy: Amount a statement, in yen. | 請求 1 件あたりの金額（円）。
-- column average_repaid: Mean of the shares that were paid back. | 返済割合の平均。
SELECT
  month,
  COUNT(DISTINCT member_id) AS members,
  COUNT(*) AS statements,
  IF(
    IS_NAN(CORR(CAST(billed AS FLOAT64), CAST(paid AS FLOAT64) / CAST(billed AS FLOAT64))),
    NULL,
    CORR(CAST(billed AS FLOAT64), CAST(paid AS FLOAT64) / CAST(billed AS FLOAT64))
  ) AS correlation,
  AVG(CAST(billed AS FLOAT64)) AS average_billed_jpy,
  AVG(CAST(paid AS FLOAT64) / CAST(billed AS FLOAT64)) AS average_repaid
FROM ledger.statements
WHERE billed > 0
GROUP BY month
HAVING COUNT(DISTINCT member_id) >= @smallest_group
