"""The first run of an installation: everything that a load needs is tried, and no row is read."""
