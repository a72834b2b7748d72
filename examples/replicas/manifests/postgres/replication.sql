-- Who streams from the leader. Runs once, as the superuser, after roles.sql.

-- No password reaches the log, not even by a statement that fails.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';

\getenv replication_password REPLICATION_PASSWORD

CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replication_password';
