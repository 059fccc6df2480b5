"""What a table is: one reviewed YAML contract a table, the contract model, the types table and the SQL of the views."""
