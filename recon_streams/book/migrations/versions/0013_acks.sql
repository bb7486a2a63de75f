-- Who has heard: the payout services, and how far each has followed the breaker.
CREATE SCHEMA acks;

-- What a service said last. A service that starts anew begins anew, so an offset may go back.
-- What counts is `through_offset`: what it claimed, once it was held against the end of the log.
CREATE TABLE acks.client (
    client_id      text PRIMARY KEY,
    claimed_offset bigint NOT NULL,
    acked_at       timestamptz NOT NULL,            -- by its own clock
    heard_at       timestamptz NOT NULL,            -- when the log had it
    through_offset bigint NOT NULL DEFAULT 0,
    refused        text CHECK (refused IS NULL OR through_offset = 0)  -- why it does not count
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

-- What the publisher found when it was last about to give a lease. On-call is told why nobody may
-- pay, also by processes that are not the publisher. `lease_until` is that of leases on the log.
ALTER TABLE book.publisher
    ADD COLUMN refused  text,
    ADD COLUMN asked_at timestamptz;

-- What the log refuses is held, by itself, and tried again now and then.
ALTER TABLE book.outbox
    ADD COLUMN held_until timestamptz,
    ADD COLUMN refused    text;  -- the log's words for it
CREATE INDEX outbox_held ON book.outbox (topic) WHERE published_at IS NULL AND refused IS NOT NULL;
GRANT UPDATE (held_until, refused) ON book.outbox TO recon_app;

-- `through_at` as the log's ends prove it. What batches say of time are the clocks of its servers: one
-- that is ahead makes a worker that lags look up to date, and no lease may hang on that.
ALTER TABLE book.stream ADD COLUMN proven_at timestamptz;
GRANT UPDATE (proven_at) ON book.stream TO recon_app;

GRANT USAGE ON SCHEMA acks TO recon_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA acks TO recon_app;
GRANT UPDATE ON acks.client TO recon_app;

-- All that a payout service may, beside what the server lets everybody: two functions, and no table.
-- A grant on the log's tables would let it read every topic; one that lets it append lets it move
-- the counters of a partition too.
CREATE SCHEMA payouts;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'recon_payouts') THEN
        CREATE ROLE recon_payouts NOLOGIN;
    END IF;
END
$$;

-- The end of recon.breaker and the records from `first_off` on, in one snapshot; of a value that is
-- too long only enough to see it. No row where it does not exist, or on a standby, which lags behind.
CREATE FUNCTION payouts.look(first_off bigint, records_max integer, bytes_max integer)
RETURNS TABLE (next_off bigint, off bigint, key bytea, headers jsonb, payload bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.next_off, r.off, r.key, r.headers, substring(r.payload FOR bytes_max)
    FROM log.topic AS t JOIN log.partition AS p USING (topic_id) LEFT JOIN LATERAL (
        SELECT * FROM log.record AS found
        WHERE found.topic_id = p.topic_id AND found.part = 0 AND found.off >= first_off
        ORDER BY found.off LIMIT records_max
    ) AS r ON true
    WHERE t.name = 'recon.breaker' AND p.part = 0 AND NOT pg_is_in_recovery()
        -- Whoever is at a place that was cut off has missed something, and begins again.
        AND (first_off = 0 OR p.start_off <= first_off)
    ORDER BY r.off
$$;

-- Append to recon.breaker.acks, and nowhere else, under the name of the service; returns the offset.
CREATE FUNCTION payouts.acknowledge(client_id text, said bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    acks integer := (SELECT topic_id FROM log.topic WHERE name = 'recon.breaker.acks');
BEGIN
    IF acks IS NULL THEN
        RAISE undefined_object USING MESSAGE = 'there is no topic recon.breaker.acks';
    END IF;
    -- A few hundred bytes are all there is to say; nobody fills the disk with one call.
    IF (octet_length(client_id) <= 1000 AND octet_length(said) <= 65536) IS NOT TRUE THEN
        RAISE program_limit_exceeded
            USING MESSAGE = 'an acknowledgement is at most 65536 bytes, its client_id 1000';
    END IF;
    RETURN (log.append(
        ARRAY[acks], ARRAY[0], ARRAY[1], ARRAY[1], ARRAY[0],
        ARRAY[convert_to(client_id, 'UTF8')], ARRAY[NULL::jsonb], ARRAY[said]
    )).first_offs[1];
END $$;

REVOKE ALL ON FUNCTION payouts.look, payouts.acknowledge FROM PUBLIC;
GRANT USAGE ON SCHEMA payouts TO recon_payouts, recon_app;
GRANT EXECUTE ON FUNCTION payouts.look, payouts.acknowledge TO recon_payouts, recon_app;
