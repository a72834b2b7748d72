-- What PUBLIC may do is: nothing. PostgreSQL's own defaults are taken back where new databases come
-- from, then in what exists.

\connect template1
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE template0, template1, postgres FROM PUBLIC;

\connect postgres
REVOKE ALL ON SCHEMA public FROM PUBLIC;
-- Where pg_rewind, and Patroni before it, ask the leader.
GRANT CONNECT ON DATABASE postgres TO replication_user;

-- User, auth, search and streaming share one database; messaging has its own.
CREATE DATABASE nova_auth OWNER nova_owner;
CREATE DATABASE nova_messaging OWNER nova_owner;
REVOKE ALL ON DATABASE nova_auth, nova_messaging FROM PUBLIC;
GRANT CONNECT ON DATABASE nova_auth, nova_messaging TO app_user;

-- Every table, sequence, function and type that nova_owner makes later, in whichever schema.
\connect nova_auth
ALTER DEFAULT PRIVILEGES FOR ROLE nova_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE nova_owner REVOKE ALL ON TYPES FROM PUBLIC;

\connect nova_messaging
ALTER DEFAULT PRIVILEGES FOR ROLE nova_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE nova_owner REVOKE ALL ON TYPES FROM PUBLIC;
