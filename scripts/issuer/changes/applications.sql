-- Applications that were waiting and are decided in the window.
UPDATE issuing.applications AS a
SET status = synth.verdict(synth.noise(a.application_no, 103))::issuing.application_status, decided_at = d.decided_at, updated_at = d.decided_at
FROM (
    SELECT application_id, synth.decided_at(applied_at::date, synth.noise(application_no, 103)) AS decided_at
    FROM issuing.applications
    WHERE status = 'submitted' AND applied_at >= ({from} - 2)::timestamptz
) AS d
WHERE a.application_id = d.application_id AND d.decided_at::date BETWEEN {from} AND {to}
