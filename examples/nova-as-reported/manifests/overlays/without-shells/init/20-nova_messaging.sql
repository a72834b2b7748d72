CREATE SCHEMA messaging AUTHORIZATION app_user;

-- The migration's table, by the role that owns the schema.
SET ROLE app_user;

CREATE TABLE messaging.messages (
    id         bigserial PRIMARY KEY,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
