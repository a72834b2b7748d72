\connect nova_messaging

ALTER SCHEMA public OWNER TO nova_owner;

SET ROLE nova_owner;

CREATE SCHEMA messaging;

CREATE TABLE messaging.messages (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Users are in the other database: a number, not a reference.
    sender_id    bigint NOT NULL,
    recipient_id bigint NOT NULL,
    body         text NOT NULL,
    sent_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON messaging.messages (recipient_id, sent_at);

-- What the service needs: rows, in tables that are there and in those still to come.
GRANT USAGE ON SCHEMA messaging TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA messaging TO app_user;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA messaging TO app_user;

ALTER DEFAULT PRIVILEGES IN SCHEMA messaging
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA messaging
    GRANT USAGE, SELECT ON SEQUENCES TO app_user;
