#!/bin/bash
# Run once by the postgres image, when its data directory is new: the role that Grafana reads with.
set -euo pipefail

# On standard input, not in an argument: those are seen in the list of processes.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/database_reader_password`
CREATE ROLE factwatch_reader LOGIN PASSWORD :'password' CONNECTION LIMIT 8;
ALTER ROLE factwatch_reader SET default_transaction_read_only = on;
ALTER ROLE factwatch_reader SET statement_timeout = '30s';
GRANT USAGE ON SCHEMA public TO factwatch_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO factwatch_reader;
SQL
