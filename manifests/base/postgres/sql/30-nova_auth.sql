\connect nova_auth

ALTER SCHEMA public OWNER TO nova_owner;

SET ROLE nova_owner;

CREATE SCHEMA auth;
CREATE SCHEMA streaming;

CREATE TABLE auth.users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE streaming.streams (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES auth.users ON DELETE CASCADE,
    title      text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz CHECK (ended_at >= started_at)
);
CREATE INDEX ON streaming.streams (user_id);

-- What the services need: rows, in tables that are there and in those still to come.
GRANT USAGE ON SCHEMA auth, streaming TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA auth, streaming TO app_user;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA auth, streaming TO app_user;

ALTER DEFAULT PRIVILEGES IN SCHEMA auth, streaming
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA auth, streaming
    GRANT USAGE, SELECT ON SEQUENCES TO app_user;
