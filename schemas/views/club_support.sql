-- about: Members, payments and GMV in yen that support a club, a business day (JST), with the club's share of it.
-- about[ja]: クラブを応援する会員数・決済件数・取扱高（円）とクラブの取り分（営業日（JST）ごと）。
-- grain: business_date, club_id
-- date: business_date
-- column business_date: The business day in Japan; days without payments are there with zeros. | 日本の営業日。決済のない日も 0 として含む。
-- column club_id: The club. | クラブ。
-- column club: The club's name. | クラブ名。
-- column kind: football, baseball, basketball, idol, band or artist. | クラブの種別。
-- column payments: Approved payments that support it. | 応援する承認済み決済の件数。
-- column members: Members who made them. | 決済した会員数。
-- column gmv_jpy: Their amount in yen. | 決済金額（円）。
-- column support_jpy: The club's share of it in yen. | クラブの取り分（円）。
SELECT
  paid.business_date,
  paid.club_id,
  k.name AS club,
  k.kind,
  COUNT(paid.payment_id) AS payments,
  COUNT(DISTINCT paid.member_id) AS members,
  SUM(paid.amount_jpy) AS gmv_jpy,
  SUM(paid.amount_jpy * k.support_rate) AS support_jpy
FROM (
  SELECT p.authorized_on AS business_date, p.club_id, p.payment_id, p.member_id, p.amount_jpy
  FROM ledger.payments AS p
  WHERE p.status = 'approved'
  UNION ALL
  SELECT business_date, known.club_id, NULL, NULL, 0
  FROM (SELECT MIN(authorized_on) AS first_day, MAX(authorized_on) AS last_day FROM ledger.payments) AS span
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(span.first_day, span.last_day)) AS business_date
  CROSS JOIN (SELECT DISTINCT club_id FROM community.clubs) AS known
) AS paid
JOIN (SELECT * FROM community.clubs WHERE snapshot_date = (SELECT MAX(snapshot_date) FROM community.clubs)) AS k ON k.club_id = paid.club_id
GROUP BY paid.business_date, paid.club_id, k.name, k.kind
