-- about: From application over eKYC and screening to the issued card, a business day (JST) of application and channel.
-- about[ja]: 申込から本人確認、審査を経てカード発行に至るまで（申込の営業日（JST）と経路ごと）。
SELECT
  a.applied_on AS business_date,
  a.channel,
  COUNT(*) AS applications,
  COUNTIF(d.application_id IS NOT NULL) AS documents_shown,
  COUNTIF(s.application_id IS NOT NULL) AS screened,
  COUNTIF(s.decision = 'approved') AS approved,
  COUNTIF(c.member_id IS NOT NULL) AS issued,
  SAFE_DIVIDE(COUNTIF(c.member_id IS NOT NULL), COUNT(*)) AS issued_rate
FROM issuing.applications AS a
LEFT JOIN (SELECT DISTINCT application_id FROM issuing.ekyc_documents) AS d ON d.application_id = a.application_id
LEFT JOIN issuing.credit_screenings AS s ON s.application_id = a.application_id
LEFT JOIN issuing.members AS m ON m.application_id = a.application_id
LEFT JOIN (SELECT DISTINCT member_id FROM issuing.cards) AS c ON c.member_id = m.member_id
GROUP BY business_date, a.channel
