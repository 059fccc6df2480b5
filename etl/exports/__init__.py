"""What other tools read of contracts and runs: data contracts, dbt sources, lineage, metrics; names and counts only."""
