-- Members who leave in the window.
UPDATE issuing.members AS m
SET status = 'withdrawn', withdrawn_at = s.leaves_on::timestamptz + interval '13 hours', updated_at = s.leaves_on::timestamptz + interval '13 hours'
FROM synth.membership AS s
WHERE m.member_id = s.member_id AND s.leaves_on BETWEEN {from} AND {to} AND m.status <> 'withdrawn'
