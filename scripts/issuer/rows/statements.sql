-- The statements issued in the window, as they stand at its end.
INSERT INTO ledger.statements SELECT * FROM synth.statements_on({to}) WHERE closed_on BETWEEN {from} AND {to}
