-- Each club has a design, half of them a second, limited one by an artist; four plain designs belong to no club.
INSERT INTO issuing.card_designs
SELECT i, CASE WHEN i <= 24 THEN i WHEN i <= 36 THEN i - 24 END,
       (ARRAY['青', '紅', '翠', '金', '墨', '桜'])[1 + i % 6] || 'の影' || i,
       CASE WHEN i BETWEEN 25 AND 36 THEN f.kanji || ' ' || g.kanji END,
       jsonb_build_object('ink', (ARRAY['#0b3d91', '#c8102e', '#00843d'])[1 + i % 3], 'finish', (ARRAY['matte', 'gloss'])[1 + i % 2]),
       CASE WHEN i BETWEEN 25 AND 36 THEN 880 ELSE 0 END, 'https://cards.example.com/designs/' || i || '.png', i BETWEEN 25 AND 36,
       date '2020-04-01' + i * 20, CASE WHEN i IN (7, 30) THEN date '2023-03-31' END
FROM generate_series(1, 40) AS i
JOIN synth.family_names AS f ON f.n = synth.below(32, synth.noise(i, 24), 0)
JOIN synth.given_names AS g ON g.n = synth.below(32, synth.noise(i, 24), 20)
