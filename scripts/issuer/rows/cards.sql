-- A virtual card with the membership, for some a physical one later; numbered in the order of the days of issue.
INSERT INTO issuing.cards
SELECT c.card_id, c.member_id, c.pan, synth.digits(synth.below(1000, c.s, 0), 3), CASE WHEN c.nth = 2 THEN decode(substr(md5('pin' || c.s), 1, 16), 'hex') END,
       CASE WHEN c.nth = 2 THEN c.pan || '=' || c.expiry || '201' || synth.digits(synth.below(1000000, c.s, 20), 10) END,
       left(c.name_roman, 26), c.expiry, CASE c.nth WHEN 1 THEN '220' ELSE '201' END, 1 + synth.below(40, c.s, 40),
       (ARRAY['virtual', 'physical'])[c.nth]::issuing.card_kind, CASE WHEN synth.below(5, c.r, 20) = 0 THEN 200000 ELSE 100000 END,
       CASE WHEN c.closed_on IS NOT NULL THEN c.end_status WHEN synth.below(70, c.r, 40) = 0 THEN 'locked' ELSE 'active' END::issuing.card_status,
       c.nth = 2, c.issued_at, CASE WHEN synth.below(20, c.r, 0) > 0 THEN c.issued_at + synth.below(40000, c.r, 20) * interval '1 second' END,
       c.closed_on::timestamptz + interval '14 hours', coalesce(c.closed_on::timestamptz + interval '14 hours', c.issued_at)
FROM (
    SELECT c.*, payload || synth.luhn(payload) AS pan, to_char(issued_at + interval '5 years', 'YYMM') AS expiry,
           (CASE WHEN ends_on <= {to} THEN ends_on END) AS closed_on
    FROM (
        SELECT c.*, synth.pan_payload(card_id, r) AS payload
        FROM (
        SELECT c.*, synth.noise(card_id, 141) AS r, synth.noise(card_id, 142) AS s
        FROM (
            SELECT {cards_before} + row_number() OVER (ORDER BY issued_on, member_id, nth) AS card_id, c.*
            FROM (
                SELECT m.member_id, m.name_roman, 1 AS nth, m.joined AS issued_on, m.registered_at + interval '2 minutes' AS issued_at,
                       least(m.reissued_on, m.leaves_on) AS ends_on, CASE WHEN m.leaves_on <= m.reissued_on THEN 'closed' WHEN m.reissued_on IS NULL THEN 'closed' ELSE 'reissued' END AS end_status
                FROM synth.membership AS m
                UNION ALL
                SELECT m.member_id, m.name_roman, 2, m.reissued_on, m.reissued_on::timestamptz + interval '11 hours', m.leaves_on, 'closed'
                FROM synth.membership AS m
                WHERE m.leaves_on IS NULL OR m.leaves_on > m.reissued_on
            ) AS c
            WHERE issued_on BETWEEN {from} AND {to}
        ) AS c
        OFFSET 0
        ) AS c
        OFFSET 0
    ) AS c
    OFFSET 0
) AS c
