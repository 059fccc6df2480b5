-- about: Rewards granted a business day (JST) and kind: points, value, members.
-- about[ja]: 営業日（JST）と種別ごとの特典付与（ポイント・金額・会員数）。
-- grain: business_date, kind
-- date: business_date
-- column business_date: The business day in Japan; days without rewards are there with zeros. | 日本の営業日。付与のない日も 0 として含む。
-- column kind: points, ticket or goods. | ポイント・チケット・グッズのいずれか。
-- column rewards: Rewards granted. | 付与件数。
-- column members: Members who got them. | 付与された会員数。
-- column points: Points granted. | 付与ポイント。
-- column value_jpy: Value in yen, where the reward has one. | 金額（円）。金額のある特典のみ。
SELECT
  business_date,
  kind,
  COUNT(reward_id) AS rewards,
  COUNT(DISTINCT member_id) AS members,
  SUM(points) AS points,
  SUM(COALESCE(value, 0)) AS value_jpy
FROM (
  SELECT w.granted_on AS business_date, w.kind, w.reward_id, w.member_id, w.points, w.value
  FROM community.rewards AS w
  UNION ALL
  SELECT business_date, kind, NULL, NULL, 0, 0
  FROM (SELECT MIN(granted_on) AS first_day, MAX(granted_on) AS last_day FROM community.rewards) AS span
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(span.first_day, span.last_day)) AS business_date
  CROSS JOIN UNNEST(['points', 'ticket', 'goods']) AS kind
)
GROUP BY business_date, kind
