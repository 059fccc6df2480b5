-- The delinquencies that begin in the window, as they stand at its end.
INSERT INTO collections.delinquencies SELECT * FROM synth.delinquencies_on({to}) WHERE overdue_since BETWEEN {from} AND {to}
