-- What there is, and who may do what. Runs once, as the superuser, after roles.sql.
\getenv database DATABASE
\getenv owner DATABASE_OWNER
\getenv application APPLICATION_ROLE

-- What PUBLIC may do is: nothing. PostgreSQL's own defaults are taken back where new databases come
-- from, then in what exists.
\connect template1
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE template0, template1, postgres FROM PUBLIC;

\connect postgres
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE DATABASE :"database" OWNER :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"application";

\connect :"database"
ALTER SCHEMA public OWNER TO :"owner";

-- Every function and type that the owner makes later, in whichever schema.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" REVOKE ALL ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" REVOKE ALL ON TYPES FROM PUBLIC;

SET ROLE :"owner";

CREATE SCHEMA app;

CREATE TABLE app.entries (
    id         bigserial PRIMARY KEY,
    note       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What the services need: rows, in tables that are there and in those still to come.
GRANT USAGE ON SCHEMA app TO :"application";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO :"application";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA app TO :"application";

ALTER DEFAULT PRIVILEGES IN SCHEMA app
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"application";
ALTER DEFAULT PRIVILEGES IN SCHEMA app
    GRANT USAGE, SELECT ON SEQUENCES TO :"application";
