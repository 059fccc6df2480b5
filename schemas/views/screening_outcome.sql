-- about: What the screening knew of members who got a card, and how they repaid since: score, past delinquency, other debt.
-- about[ja]: 審査時の情報（スコア・過去の延滞・他社借入）と、その後の返済・延滞。
-- grain: score_band, past_delinquency, other_debt
-- column score_band: The bureau's score, by hundreds; its lower end. | 信用スコア（100 点ごとの下限）。
-- column past_delinquency: Whether the bureau knew of a delinquency; empty where it did not say. | 過去の延滞の有無。不明なら空。
-- column other_debt: Other debt as a range in yen. | 他社借入の区分（円）。
-- column members: Members; groups of fewer than the settings' smallest group are not shown. | 会員数。設定した最小人数に満たない区分は表示しない。
-- column delinquent_members: Of these, with a delinquency since, open or not. | うちその後に延滞したことのある会員数。
-- column delinquency_rate: The share with a delinquency since. | 延滞したことのある割合。
-- column billed_jpy: Billed to them since, in yen. | その後の請求額（円）。
-- column paid_jpy: Paid back by them, in yen. | その後の入金額（円）。
-- column repayment_rate: Paid by billed; empty where nothing was billed. | 請求額に対する入金の割合。請求がなければ空。
SELECT
  CAST(FLOOR(s.score / 100) AS INT64) * 100 AS score_band,
  s.past_delinquency,
  s.other_debt,
  COUNT(*) AS members,
  COUNT(late.member_id) AS delinquent_members,
  SAFE_DIVIDE(COUNT(late.member_id), COUNT(*)) AS delinquency_rate,
  COALESCE(SUM(bill.billed), 0) AS billed_jpy,
  COALESCE(SUM(bill.paid), 0) AS paid_jpy,
  SAFE_DIVIDE(SUM(bill.paid), SUM(bill.billed)) AS repayment_rate
FROM issuing.members AS m
JOIN issuing.credit_screenings AS s ON s.application_id = m.application_id
LEFT JOIN (SELECT DISTINCT member_id FROM collections.delinquencies WHERE deleted_at IS NULL) AS late ON late.member_id = m.member_id
LEFT JOIN (
  SELECT member_id, SUM(billed) AS billed, SUM(paid) AS paid
  FROM ledger.statements
  GROUP BY member_id
) AS bill ON bill.member_id = m.member_id
GROUP BY score_band, s.past_delinquency, s.other_debt
HAVING COUNT(*) >= @smallest_group
