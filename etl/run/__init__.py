"""The order of the steps: `daily` for a day, `backfill` for many, `staged_run` for what an earlier run staged."""
