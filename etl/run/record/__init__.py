"""How a run ended, as the ledger, the report and people are told: results, rows of the ledger, the printed table."""
