-- about: Members who used the app a business day (JST) and platform, by Google Analytics, and what they paid on that day.
-- about[ja]: 営業日（JST）とプラットフォームごとのアプリ利用会員（Google アナリティクス）と、その日の利用額。
-- grain: business_date, platform
-- date: business_date
-- column business_date: The day of the export's table: the business day where the property's time zone is Japan. | エクスポートの日付（プロパティのタイムゾーンが日本なら営業日）。
-- column platform: IOS, ANDROID or WEB. | iOS・Android・ウェブのいずれか。
-- column app_members: Members with an event, known by their token; groups of fewer than the settings' smallest group are not shown. | イベントのある会員数（トークンで識別）。設定した最小人数に満たない区分は表示しない。
-- column events: Their events. | イベント件数。
-- column sessions: Their sessions. | セッション数。
-- column paying_members: Of these, with an approved payment on that day. | うち同じ日に承認済み決済がある会員数。
-- column payments: Their approved payments of that day. | その日の承認済み決済の件数。
-- column gmv_jpy: Their amount in yen. | 決済金額（円）。
SELECT
  used.business_date,
  used.platform,
  COUNT(*) AS app_members,
  SUM(used.events) AS events,
  SUM(used.sessions) AS sessions,
  COUNT(paid.member_id) AS paying_members,
  COALESCE(SUM(paid.payments), 0) AS payments,
  COALESCE(SUM(paid.gmv_jpy), 0) AS gmv_jpy
FROM (
  SELECT
    SAFE.PARSE_DATE('%Y%m%d', _TABLE_SUFFIX) AS business_date,
    e.platform,
    e.user_id AS member_id,
    COUNT(*) AS events,
    COUNT(DISTINCT (SELECT param.value.int_value FROM UNNEST(e.event_params) AS param WHERE param.key = 'ga_session_id')) AS sessions
  FROM ga4.events AS e
  WHERE e.user_id IS NOT NULL
    AND _TABLE_SUFFIX NOT LIKE 'intraday%'
  GROUP BY business_date, platform, member_id
) AS used
JOIN issuing.members AS m ON m.member_id = used.member_id
LEFT JOIN (
  SELECT authorized_on, member_id, COUNT(*) AS payments, SUM(amount_jpy) AS gmv_jpy
  FROM ledger.payments
  WHERE status = 'approved'
  GROUP BY authorized_on, member_id
) AS paid ON paid.member_id = used.member_id AND paid.authorized_on = used.business_date
GROUP BY used.business_date, used.platform
HAVING COUNT(*) >= @smallest_group
