-- about: Do rewards make supporters pay more? Of each club: members who pay for it with and without a reward of it, and what they pay.
-- about[ja]: 特典は利用を増やすか。クラブごとに、特典を受けた会員と受けていない会員の利用額を比べる。
-- grain: club_id
-- column club_id: The club. | クラブ。
-- column club: The club's name. | クラブ名。
-- column supporters: Members with an approved payment for it in the loaded days. | 読み込まれた期間に応援決済のある会員数。
-- column rewarded_supporters: Of these, with a reward of it. | うち特典を受けた会員数。
-- column gmv_jpy: What supporters paid, in yen. | 応援決済の金額（円）。
-- column gmv_per_rewarded_jpy: Amount a supporter with a reward, in yen; empty where there is none. | 特典を受けた会員 1 人あたりの金額（円）。いなければ空。
-- column gmv_per_other_jpy: Amount a supporter without one, in yen; empty where there is none. | 特典を受けていない会員 1 人あたりの金額（円）。いなければ空。
SELECT
  k.club_id,
  k.name AS club,
  COUNT(paid.member_id) AS supporters,
  COUNT(given.member_id) AS rewarded_supporters,
  COALESCE(SUM(paid.gmv_jpy), 0) AS gmv_jpy,
  SAFE_DIVIDE(SUM(IF(given.member_id IS NOT NULL, paid.gmv_jpy, NULL)), COUNT(given.member_id)) AS gmv_per_rewarded_jpy,
  SAFE_DIVIDE(SUM(IF(given.member_id IS NULL, paid.gmv_jpy, NULL)), COUNT(paid.member_id) - COUNT(given.member_id)) AS gmv_per_other_jpy
FROM (SELECT * FROM community.clubs WHERE snapshot_date = (SELECT MAX(snapshot_date) FROM community.clubs)) AS k
LEFT JOIN (
  SELECT club_id, member_id, SUM(amount_jpy) AS gmv_jpy
  FROM ledger.payments
  WHERE status = 'approved' AND club_id IS NOT NULL
  GROUP BY club_id, member_id
) AS paid ON paid.club_id = k.club_id
LEFT JOIN (SELECT DISTINCT club_id, member_id FROM community.rewards) AS given ON given.club_id = paid.club_id AND given.member_id = paid.member_id
GROUP BY k.club_id, club
