"""BigQuery: one client with bounded retries, load jobs, statements that change rows, access to datasets."""
