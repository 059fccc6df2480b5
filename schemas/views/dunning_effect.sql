-- about: Dunning contacts a business day (JST) and channel, what members promised, and what was cured within 7 and 30 days.
-- about[ja]: 営業日（JST）とチャネルごとの督促と約束、7 日・30 日以内の解消。
-- grain: business_date, channel
-- date: business_date
-- column business_date: The business day of the contact; days without any are there with zeros. | 督促の営業日。督促のない日も 0 として含む。
-- column channel: sms, email, call or letter. | SMS・メール・電話・書面のいずれか。
-- column contacts: Contacts made. | 督促件数。
-- column members: Members who were contacted. | 督促した会員数。
-- column promises: Contacts after which the member named a day. | 支払日の約束を得た件数。
-- column promised_jpy: What was promised, in yen, each rounded to thousands. | 約束された金額（円、千円単位に丸め）。
-- column cured_in_7_days: Contacts whose delinquency was cured by the seventh day after. | 7 日以内に延滞が解消した件数。
-- column cured_in_30_days: The same by the thirtieth day. | 30 日以内に延滞が解消した件数。
-- column cured_in_30_days_rate: Share of the contacts; empty on days without any. | その割合。督促のない日は空。
SELECT
  business_date,
  channel,
  COUNT(contact_id) AS contacts,
  COUNT(DISTINCT member_id) AS members,
  COUNT(promised_on) AS promises,
  COALESCE(SUM(promised_amount), 0) AS promised_jpy,
  COUNTIF(cured_after <= 7) AS cured_in_7_days,
  COUNTIF(cured_after <= 30) AS cured_in_30_days,
  SAFE_DIVIDE(COUNTIF(cured_after <= 30), COUNT(contact_id)) AS cured_in_30_days_rate
FROM (
  SELECT
    t.contacted_on AS business_date,
    t.channel,
    t.contact_id,
    t.member_id,
    t.promised_on,
    t.promised_amount,
    IF(d.status = 'cured' AND d.closed_on >= t.contacted_on, DATE_DIFF(d.closed_on, t.contacted_on, DAY), NULL) AS cured_after
  FROM collections.dunning_contacts AS t
  LEFT JOIN (SELECT * FROM collections.delinquencies WHERE deleted_at IS NULL) AS d ON d.delinquency_id = t.delinquency_id
  UNION ALL
  SELECT business_date, channel, NULL, NULL, NULL, NULL, NULL
  FROM (SELECT MIN(contacted_on) AS first_day, MAX(contacted_on) AS last_day FROM collections.dunning_contacts) AS span
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(span.first_day, span.last_day)) AS business_date
  CROSS JOIN UNNEST(['sms', 'email', 'call', 'letter']) AS channel
)
GROUP BY business_date, channel
