-- Twenty-four clubs, the same for every seed.
INSERT INTO community.clubs
SELECT i, 'C' || lpad(i::text, 3, '0'), p.town || (ARRAY['FC', 'ベアーズ', 'ウィンズ', '乙女隊', 'ザ・シャドウズ', '工房'])[1 + i % 6],
       (ARRAY['football', 'baseball', 'basketball', 'idol', 'band', 'artist'])[1 + i % 6]::community.club_kind,
       p.prefecture, 0.0050 + (i % 4) * 0.0025, f.kanji || ' ' || g.kanji, 'club' || i || '@example.co.jp',
       CASE WHEN i % 5 <> 0 THEN synth.phone(synth.noise(i, 21)) END,
       '0' || (100 + i) || '-' || (200 + i) || '-' || synth.digits(synth.below(1000000, synth.noise(i, 22), 0) + 1000000, 7),
       i <> 23, date '1960-04-01' + i * 700, timestamptz '2019-04-01 10:00+09' + i * interval '9 days'
FROM generate_series(1, 24) AS i
JOIN (
    SELECT n, substring(address FROM '^(北海道|..府|..県|東京都|...県)') AS prefecture,
           substring(address FROM '^(?:北海道|..府|..県|東京都|...県)(.*?)[市区]') AS town
    FROM synth.places
) AS p ON p.n = i - 1
JOIN synth.family_names AS f ON f.n = synth.below(32, synth.noise(i, 23), 0)
JOIN synth.given_names AS g ON g.n = synth.below(32, synth.noise(i, 23), 20)
