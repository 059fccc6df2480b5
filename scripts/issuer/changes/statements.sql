-- Statements that were paid, or fell overdue, in the window.
UPDATE ledger.statements AS s
SET paid = n.paid, status = n.status, settled_on = n.settled_on, updated_at = n.updated_at
FROM synth.statements_on({to}) AS n
WHERE s.statement_id = n.statement_id AND n.updated_at::date BETWEEN {from} AND {to} AND s.closed_on < {from}
