"""The guarded read: connect to the ETL endpoint, prove that it is a reader, pin a snapshot, read slices as Arrow."""
