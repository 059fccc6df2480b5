-- {base} applications spread over the two years before {first}, {daily} on each business day from then on.
INSERT INTO issuing.applications
SELECT synth.key(1001, a.n), a.n, (ARRAY['app', 'web', 'event', 'partner'])[1 + synth.below(4, a.r, 0)],
       p.kanji, p.kana, p.birth_date, p.email, p.phone, p.postal_code, p.address,
       CASE WHEN synth.below(10, a.r, 20) < 7 THEN (ARRAY['影山商事株式会社', '株式会社みなも', '合同会社ひなた', '公立はなぞの病院'])[1 + synth.below(4, a.r, 40)] END,
       CASE WHEN synth.below(20, a.r, 20) < 19 THEN 1200000 + 100000 * synth.below(80, a.r, 40) END,
       1 + synth.below(40, a.s, 0), CASE WHEN a.decided_at::date <= {to} THEN a.verdict ELSE 'submitted' END::issuing.application_status,
       CASE WHEN synth.below(4, a.s, 20) = 0 THEN 'CP' || to_char(a.day, 'YYYYMM') END,
       '100.64.0.0'::inet + synth.below(1000000, a.s, 40),
       (ARRAY['Kagemusha/4.2 (iPhone; iOS 16.6)', 'Kagemusha/4.2 (Android 13)', 'Mozilla/5.0 (Windows NT 10.0)'])[1 + synth.below(3, a.s, 20)],
       CASE WHEN synth.below(3, a.s, 40) = 0 THEN jsonb_build_object('source', (ARRAY['friend', 'sns', 'stadium'])[1 + synth.below(3, a.s, 0)],
                                                                    'inviter_email', 'friend' || synth.below(100000, a.s, 20) || '@example.com') END,
       a.applied_at, CASE WHEN a.decided_at::date <= {to} THEN a.decided_at END,
       CASE WHEN a.decided_at::date <= {to} THEN a.decided_at ELSE a.applied_at END
FROM (
    SELECT n, day, r, s, synth.verdict(v) AS verdict, synth.decided_at(day, v) AS decided_at,
           -- On each day the first applicants come on the very edges of the business day and of the UTC day.
           day::timestamptz + CASE (n % {daily})
               WHEN 1 THEN interval '0' WHEN 2 THEN interval '08:59:59.999999'
               ELSE synth.unit(synth.noise(n, 104), 0) * CASE synth.below(3, v, 20) WHEN 0 THEN interval '9 hours' ELSE interval '1 day' END END AS applied_at
    FROM (
        SELECT n, CASE WHEN n <= {base} THEN {first} - 1 - (({base} - n) * 730 / {base})::integer
                       ELSE {first} + ((n - {base} - 1) / {daily})::integer END AS day,
               synth.noise(n, 101) AS r, synth.noise(n, 102) AS s, synth.noise(n, 103) AS v
        FROM generate_series({first_application}, {last_application}) AS n
        OFFSET 0
    ) AS n
    OFFSET 0
) AS a
CROSS JOIN LATERAL synth.person(a.n) AS p
