"""Approved → BigQuery: tables, partitions and merges are loaded, then the views that analysts read."""
