-- Whoever was approved is a member from that moment; numbered in the order of the days of approval.
INSERT INTO issuing.members
SELECT m.member_id, m.application_id, m.applicant_name, m.applicant_kana, p.roman, m.birth_date,
       CASE WHEN synth.below(10, m.r, 0) < 9 THEN 1 + synth.below(2, m.r, 20) END, m.email, m.phone, m.postal_code, m.address,
       CASE WHEN m.employer_name IS NULL THEN (ARRAY['student', 'homemaker', 'self_employed'])[1 + synth.below(3, m.r, 40)] ELSE 'employee' END,
       m.annual_income,
       CASE WHEN m.bank THEN synth.digits(1 + synth.below(900, m.s, 0), 4) END, CASE WHEN m.bank THEN synth.digits(1 + synth.below(900, m.s, 20), 3) END,
       CASE WHEN m.bank THEN synth.digits(synth.below(1000000, m.s, 40) * 9 + 1000000, 7) END, CASE WHEN m.bank THEN m.applicant_kana END,
       CASE WHEN m.leaves_on <= {to} THEN 'withdrawn' WHEN synth.below(60, m.r, 20) = 0 THEN 'suspended' ELSE 'active' END::issuing.member_status,
       CASE WHEN synth.below(8, m.r, 40) > 0 THEN 1 + synth.below(24, m.s, 20) END, 'R' || upper(substr(md5(m.application_no || ':' || m.s), 1, 8)),
       synth.below(3, m.s, 0) > 0,
       jsonb_build_object('theme', (ARRAY['dark', 'light'])[1 + synth.below(2, m.r, 0)], 'push', synth.below(4, m.s, 40) > 0,
                          'address_book', jsonb_build_array(m.address)),
       m.decided_at, CASE WHEN m.leaves_on <= {to} THEN m.leaves_on::timestamptz + interval '13 hours' END,
       CASE WHEN m.leaves_on <= {to} THEN m.leaves_on::timestamptz + interval '13 hours' ELSE m.decided_at END
FROM (
    SELECT a.*, synth.noise(member_id, 131) AS r, synth.noise(member_id, 132) AS s, synth.below(10, synth.noise(member_id, 133), 0) < 8 AS bank,
           synth.leaves_on(member_id, decided_at::date) AS leaves_on
    FROM (
        SELECT *, {members_before} + row_number() OVER (ORDER BY decided_at::date, application_no) AS member_id
        FROM issuing.applications
        WHERE application_no < 900000000000 AND status = 'approved' AND decided_at >= {from}::timestamptz AND decided_at < ({to} + 1)::timestamptz
    ) AS a
    OFFSET 0
) AS m
CROSS JOIN LATERAL synth.person(m.application_no) AS p
