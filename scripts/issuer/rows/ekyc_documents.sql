-- The identity document that came with an application; half of those who give up never send one.
INSERT INTO issuing.ekyc_documents
SELECT synth.key(1003, a.application_no), a.application_id,
       (ARRAY['drivers_license', 'my_number_card', 'residence_card', 'passport'])[d.kind]::issuing.document_type,
       CASE d.kind WHEN 4 THEN 'TZ' || synth.digits(synth.below(1000000, d.r, 20), 7) WHEN 3 THEN 'AB' || synth.digits(synth.below(1000000, d.r, 20), 8) || 'CD'
                   ELSE '30' || synth.digits(synth.below(1000000, d.r, 20) * 1000 + d.kind, 10) END,
       CASE WHEN d.kind = 2 THEN synth.my_number((synth.unit(synth.noise(a.application_no, 112), 0) * 99999999999)::bigint) END,
       a.applicant_name, a.birth_date, a.address,
       CASE WHEN d.kind <> 2 THEN a.applied_at::date + 90 + synth.below(3000, d.r, 40)::integer END,
       0.6 + synth.unit(d.r, 0) * 0.4,
       ('{{"name": "' || a.applicant_name || '", "address": "' || a.address || '", "birth": "' || a.birth_date || '", "engine": "'
           || (ARRAY['v3.1', 'v3.2'])[1 + synth.below(2, d.r, 20)] || '", "confidence": 0.' || 700 + synth.below(300, d.r, 40) || '}}')::jsonb,
       '/ekyc/' || a.applied_at::date || '/' || a.application_no || '_' || split_part(a.email, '@', 1) || '.jpg',
       sha256(int8send(d.r)), a.status <> 'rejected' AND d.v <> 'rejected', a.applied_at + interval '4 minutes'
FROM (
    SELECT a.*, synth.noise(application_no, 111) AS r FROM issuing.applications AS a
    WHERE applied_at >= {from}::timestamptz AND applied_at < ({to} + 1)::timestamptz
    OFFSET 0
) AS a
CROSS JOIN LATERAL (SELECT a.r, 1 + synth.below(4, a.r, 0) AS kind, synth.verdict(synth.noise(a.application_no, 103)) AS v OFFSET 0) AS d
WHERE d.v <> 'withdrawn' OR synth.below(2, a.r, 40) = 0
