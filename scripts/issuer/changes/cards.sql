-- Cards that end in the window because their member leaves or got another one.
UPDATE issuing.cards AS c
SET status = (CASE WHEN c.kind = 'virtual' AND (s.leaves_on IS NULL OR s.reissued_on < s.leaves_on) THEN 'reissued' ELSE 'closed' END)::issuing.card_status,
    closed_at = e.ends_on::timestamptz + interval '14 hours', updated_at = e.ends_on::timestamptz + interval '14 hours'
FROM synth.membership AS s
CROSS JOIN LATERAL (VALUES ('virtual'::issuing.card_kind, least(s.reissued_on, s.leaves_on)), ('physical', s.leaves_on)) AS e (kind, ends_on)
WHERE c.member_id = s.member_id AND c.kind = e.kind AND e.ends_on BETWEEN {from} AND {to} AND c.closed_at IS NULL
