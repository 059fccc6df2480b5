-- Thirty people of the issuer's staff.
INSERT INTO ops_admin.admin_users
SELECT i, lower(g.roman) || i, f.kanji || ' ' || g.kanji, lower(g.roman) || i || '@example.co.jp',
       CASE WHEN i % 3 = 0 THEN synth.phone(synth.noise(i, 31)) END,
       '$argon2id$v=19$m=65536,t=3,p=4$' || encode(sha256(('salt' || synth.noise(i, 32))::bytea), 'base64'),
       CASE WHEN i % 4 <> 0 THEN decode(md5('totp' || synth.noise(i, 33)), 'hex') END,
       (ARRAY['support', 'screener', 'collector', 'engineer', 'auditor'])[1 + i % 5]::ops_admin.role, i % 13 <> 0,
       '10.20.0.0'::inet + synth.below(65536, synth.noise(i, 34), 0),
       CASE WHEN i % 11 <> 0 THEN {first}::timestamptz - synth.below(500000, synth.noise(i, 34), 20) * interval '1 second' END,
       timestamptz '2019-01-07 09:00+09' + i * interval '31 days'
FROM generate_series(1, 30) AS i
JOIN synth.family_names AS f ON f.n = synth.below(32, synth.noise(i, 35), 0)
JOIN synth.given_names AS g ON g.n = synth.below(32, synth.noise(i, 35), 20)
