-- What base/postgres/init does, for a server without psql: an empty line ends a statement, and a name
-- in :'' is a variable of the container.
ALTER ROLE postgres PASSWORD :'POSTGRES_PASSWORD';

CREATE ROLE app_user LOGIN PASSWORD :'APP_USER_PASSWORD';

CREATE ROLE replication_user LOGIN REPLICATION PASSWORD :'REPLICATION_PASSWORD';

CREATE DATABASE nova_auth;

CREATE DATABASE nova_messaging;

GRANT ALL ON DATABASE nova_auth, nova_messaging TO app_user;
