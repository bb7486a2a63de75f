-- Who has heard: the payout services, and how far each has followed the breaker.
CREATE SCHEMA acks;

-- What a service said last. A service that starts anew begins anew, so an offset may go back.
CREATE TABLE acks.client (
    client_id      text PRIMARY KEY,
    through_offset bigint NOT NULL,
    acked_at       timestamptz NOT NULL,  -- by its own clock
    heard_at       timestamptz NOT NULL   -- when the log had it
);

-- Every change of a scope that a service has applied: proof, when somebody asks, that it knew.
CREATE TABLE acks.ack (
    client_id text NOT NULL,
    scope     text NOT NULL,
    epoch     bigint NOT NULL,
    seq       bigint NOT NULL,
    state     text NOT NULL,
    acked_at  timestamptz NOT NULL,
    heard_at  timestamptz NOT NULL,
    PRIMARY KEY (client_id, scope, epoch, seq)
);
CREATE INDEX ack_scope ON acks.ack (scope, epoch);

-- What other systems asked for, by their name of it: said twice it has one effect.
CREATE TABLE acks.command (
    command_id text PRIMARY KEY,
    sha256     bytea NOT NULL,
    scope      text NOT NULL,
    origin     text NOT NULL,
    taken_at   timestamptz NOT NULL
);

GRANT USAGE ON SCHEMA acks TO recon_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA acks TO recon_app;
GRANT UPDATE ON acks.client TO recon_app;
