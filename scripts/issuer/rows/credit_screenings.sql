-- What the credit bureau said of an application that came so far; one row on the day of the decision.
INSERT INTO issuing.credit_screenings
SELECT a.application_no, a.application_id, (ARRAY['CIC', 'CIC', 'JICC', 'KSC'])[1 + synth.below(4, a.r, 0)]::issuing.bureau,
       'Q' || synth.digits(a.application_no, 9),
       CASE WHEN a.status = 'approved' THEN 480 + synth.below(420, a.r, 20) ELSE 200 + synth.below(330, a.r, 20) END,
       CASE WHEN synth.below(50, a.r, 40) > 0 THEN a.status = 'declined' AND synth.below(3, a.r, 20) = 0 END,
       10000 * synth.below(300, a.r, 40), CASE WHEN a.status = 'approved' THEN CASE WHEN synth.below(5, a.s, 0) = 0 THEN 200000 ELSE 100000 END END,
       a.status::text::issuing.screening_decision,
       CASE WHEN a.status = 'declined' THEN (ARRAY['low_score', 'debt_ratio', 'bureau_record'])[1 + synth.below(3, a.s, 20)] END,
       jsonb_build_object('name_kana', a.applicant_kana, 'birth_date', to_char(a.birth_date, 'YYYYMMDD'), 'phone', replace(a.phone, '-', ''),
                          'response', jsonb_build_object('code', (ARRAY['A00', 'B01'])[1 + synth.below(2, a.s, 40)], 'hits', synth.below(4, a.s, 40))),
       CASE WHEN synth.below(5, a.s, 0) = 0 THEN 1 + 5 * synth.below(6, a.s, 20) END,
       CASE synth.below(25, a.s, 40) WHEN 0 THEN '勤務先に在籍確認済み ' || a.phone WHEN 1 THEN a.applicant_name || '様 本人確認書類の住所相違'
                                     WHEN 2 THEN '特記事項なし' END,
       a.decided_at
FROM (
    SELECT *, synth.noise(application_no, 121) AS r, synth.noise(application_no, 122) AS s FROM issuing.applications
    WHERE decided_at >= {from}::timestamptz AND decided_at < ({to} + 1)::timestamptz AND status IN ('approved', 'declined')
    OFFSET 0
) AS a
