-- Who there is. Runs once, as the superuser, in the database postgres.

-- No password reaches the log, not even by a statement that fails.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';

\getenv owner DATABASE_OWNER
\getenv application APPLICATION_ROLE
\getenv application_password APPLICATION_PASSWORD

-- The services. LOGIN and no other attribute.
CREATE ROLE :"application" LOGIN PASSWORD :'application_password';

-- Owns the database, its schemas and its tables, so that nobody who logs in does.
CREATE ROLE :"owner" NOLOGIN;
