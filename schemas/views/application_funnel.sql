-- about: From application over eKYC and screening to the issued card, a business day (JST) of application and channel.
-- about[ja]: 申込から本人確認、審査を経てカード発行に至るまで（申込の営業日（JST）と経路ごと）。
-- grain: business_date, channel
-- date: business_date
-- column business_date: The business day of the application; days without any are there with zeros. | 申込の営業日。申込のない日も 0 として含む。
-- column channel: How the application came. | 申込経路。
-- column applications: Applications made. | 申込件数。
-- column documents_shown: Of these, with documents for eKYC. | うち本人確認書類を提出した件数。
-- column screened: Of these, screened at a credit bureau. | うち信用情報機関に照会した件数。
-- column approved: Of these, approved by the screening. | うち審査で承認された件数。
-- column issued: Of these, with an issued card. | うちカードが発行された件数。
-- column issued_rate: Issued cards by applications; empty on days without any. | 申込に対する発行の割合。申込のない日は空。
SELECT
  business_date,
  channel,
  COUNT(application_id) AS applications,
  COUNTIF(shown) AS documents_shown,
  COUNTIF(screened) AS screened,
  COUNTIF(approved) AS approved,
  COUNTIF(issued) AS issued,
  SAFE_DIVIDE(COUNTIF(issued), COUNT(application_id)) AS issued_rate
FROM (
  SELECT
    a.applied_on AS business_date,
    a.channel,
    a.application_id,
    d.application_id IS NOT NULL AS shown,
    s.application_id IS NOT NULL AS screened,
    COALESCE(s.decision = 'approved', FALSE) AS approved,
    c.member_id IS NOT NULL AS issued
  FROM issuing.applications AS a
  LEFT JOIN (SELECT DISTINCT application_id FROM issuing.ekyc_documents) AS d ON d.application_id = a.application_id
  LEFT JOIN issuing.credit_screenings AS s ON s.application_id = a.application_id
  LEFT JOIN issuing.members AS m ON m.application_id = a.application_id
  LEFT JOIN (SELECT DISTINCT member_id FROM issuing.cards) AS c ON c.member_id = m.member_id
  UNION ALL
  SELECT business_date, known.channel, NULL, FALSE, FALSE, FALSE, FALSE
  FROM (SELECT MIN(applied_on) AS first_day, MAX(applied_on) AS last_day FROM issuing.applications) AS span
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(span.first_day, span.last_day)) AS business_date
  CROSS JOIN (SELECT DISTINCT channel FROM issuing.applications) AS known
)
GROUP BY business_date, channel
