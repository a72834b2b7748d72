-- By the role that the services use, which owns the schema.
CREATE TABLE IF NOT EXISTS messaging.messages (
    id         bigserial PRIMARY KEY,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
