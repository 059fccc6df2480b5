"""PostgreSQL: how Aurora PostgreSQL is connected, proven, described, cut and read."""
