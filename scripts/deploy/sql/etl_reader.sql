-- The user of the load, made once by an owner of the database on the writer; the ETL reader follows by replication:
--     psql -v ON_ERROR_STOP=1 -f scripts/deploy/sql/etl_reader.sql
-- It may read the schemas that contracts name, and nothing else; IAM tokens are its only password.
-- Replace the database's name, `issuer`, and the schemas by yours.
BEGIN;
CREATE ROLE etl_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 20;
ALTER ROLE etl_reader SET default_transaction_read_only = on;
GRANT rds_iam TO etl_reader;
GRANT CONNECT ON DATABASE issuer TO etl_reader;
GRANT USAGE ON SCHEMA collections, community, issuing, ledger, messaging, ops_admin TO etl_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA collections, community, issuing, ledger, messaging, ops_admin TO etl_reader;
-- Tables that come later are granted with their contracts: what no contract names is not read, and need not be readable.
COMMIT;
