"""What must be true of staged data: one suite a table, and the code that builds Great Expectations suites from it."""
