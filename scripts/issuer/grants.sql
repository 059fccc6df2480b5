-- The ETL reads everything and may do nothing else.
GRANT USAGE ON SCHEMA issuing, ledger, collections, community, messaging, ops_admin TO etl_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA issuing, ledger, collections, community, messaging, ops_admin TO etl_reader;
