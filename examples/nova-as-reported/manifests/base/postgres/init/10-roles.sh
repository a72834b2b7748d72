# Read by the image's entrypoint, once, when the volume is empty. No password is on a command line.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'END'
\getenv application APP_USER_PASSWORD
\getenv replication REPLICATION_PASSWORD
-- No password reaches the log, not even by a statement that fails.
SET log_min_error_statement = 'panic';
CREATE ROLE app_user LOGIN PASSWORD :'application';
CREATE ROLE replication_user LOGIN REPLICATION PASSWORD :'replication';
END
