-- about: Members, payments and GMV in yen that support a club, a business day (JST), with the club's share of it.
-- about[ja]: クラブを応援する会員数・決済件数・取扱高（円）とクラブの取り分（営業日（JST）ごと）。
SELECT
  p.authorized_on AS business_date,
  k.name AS club,
  k.kind,
  COUNT(*) AS payments,
  COUNT(DISTINCT p.member_id) AS members,
  SUM(p.amount_jpy) AS gmv_jpy,
  SUM(p.amount_jpy * k.support_rate) AS support_jpy
FROM ledger.payments AS p
JOIN (SELECT * FROM community.clubs WHERE snapshot_date = (SELECT MAX(snapshot_date) FROM community.clubs)) AS k ON k.club_id = p.club_id
WHERE p.status = 'approved'
GROUP BY business_date, club, k.kind
