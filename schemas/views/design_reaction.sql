-- about: How a card design is received: cards issued and activated, payments and GMV in yen a club and design.
-- about[ja]: 券面デザインの反応。クラブとデザインごとの発行枚数、利用開始枚数、決済件数、取扱高（円）。
-- grain: design_id
-- column design_id: The card design. | 券面デザイン。
-- column design: Its name. | デザイン名。
-- column club: The club that it shows; empty where it shows none. | デザインのクラブ名。なければ空。
-- column limited: Whether it was sold for a time only. | 期間限定かどうか。
-- column cards: Cards issued with it. | 発行枚数。
-- column activated_cards: Of these, activated. | うち利用開始された枚数。
-- column payments: Approved payments with these cards. | 承認済み決済の件数。
-- column gmv_jpy: Their amount in yen. | 決済金額（円）。
-- column gmv_per_card_jpy: Amount a card, in yen; empty where there are no cards. | カード 1 枚あたりの金額（円）。カードがなければ空。
SELECT
  g.design_id,
  g.name AS design,
  k.name AS club,
  g.limited,
  COALESCE(c.cards, 0) AS cards,
  COALESCE(c.activated_cards, 0) AS activated_cards,
  COALESCE(p.payments, 0) AS payments,
  COALESCE(p.gmv_jpy, 0) AS gmv_jpy,
  SAFE_DIVIDE(COALESCE(p.gmv_jpy, 0), c.cards) AS gmv_per_card_jpy
FROM (SELECT * FROM issuing.card_designs WHERE snapshot_date = (SELECT MAX(snapshot_date) FROM issuing.card_designs)) AS g
LEFT JOIN (SELECT * FROM community.clubs WHERE snapshot_date = (SELECT MAX(snapshot_date) FROM community.clubs)) AS k ON k.club_id = g.club_id
LEFT JOIN (
  SELECT design_id, COUNT(*) AS cards, COUNTIF(activated_at IS NOT NULL) AS activated_cards
  FROM issuing.cards
  GROUP BY design_id
) AS c ON c.design_id = g.design_id
LEFT JOIN (
  SELECT i.design_id, COUNT(*) AS payments, SUM(a.amount_jpy) AS gmv_jpy
  FROM ledger.payments AS a
  JOIN issuing.cards AS i ON i.card_id = a.card_id
  WHERE a.status = 'approved'
  GROUP BY i.design_id
) AS p ON p.design_id = g.design_id
