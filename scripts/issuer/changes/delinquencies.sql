-- Delinquencies that grow a day older, or end.
UPDATE collections.delinquencies AS d
SET days_overdue = n.days_overdue, band = n.band, late_fee = n.late_fee, status = n.status, collector_id = n.collector_id,
    closed_on = n.closed_on, updated_at = n.updated_at
FROM synth.delinquencies_on({to}) AS n
WHERE d.delinquency_id = n.delinquency_id AND d.status = 'open' AND d.overdue_since < {from}
