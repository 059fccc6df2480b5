"""TablePlan → Staged: one Spark task a slice reads, masks, looks for leaks and writes Parquet."""
