"""Contract and catalogue → TablePlan: what will be read and what will come out, decided before a row is read."""
