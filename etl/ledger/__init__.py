"""What ran: the ledger's tables in BigQuery, what earlier loads prove, and the leases of tables."""
