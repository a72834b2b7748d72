-- Who there is. Runs once, as the superuser, in the database postgres.

-- No password reaches the log, not even by a statement that fails.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET password_encryption = 'scram-sha-256';

-- The services. LOGIN and no other attribute.
\getenv app_user_password APP_USER_PASSWORD
CREATE ROLE app_user LOGIN PASSWORD :'app_user_password';

-- The members of the cluster among themselves; Patroni gives it its password.
CREATE ROLE replication_user LOGIN REPLICATION;

-- Owns databases, schemas and tables, so that nobody who logs in does.
CREATE ROLE nova_owner NOLOGIN;
