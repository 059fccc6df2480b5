"""Rights that a load keeps: policy tags on columns, policies on rows."""
