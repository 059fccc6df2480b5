"""Cloud Storage: the staging bucket and its objects."""
