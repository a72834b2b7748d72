-- By the role that the services use, which owns the schemas.
CREATE TABLE IF NOT EXISTS auth.sessions (
    id         bigserial PRIMARY KEY,
    account    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS streaming.streams (
    id         bigserial PRIMARY KEY,
    title      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
