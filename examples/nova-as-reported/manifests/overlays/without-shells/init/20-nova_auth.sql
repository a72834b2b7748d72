CREATE SCHEMA auth AUTHORIZATION app_user;

CREATE SCHEMA streaming AUTHORIZATION app_user;

-- The migration's tables, by the role that owns the schemas.
SET ROLE app_user;

CREATE TABLE auth.sessions (
    id         bigserial PRIMARY KEY,
    account    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE streaming.streams (
    id         bigserial PRIMARY KEY,
    title      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
