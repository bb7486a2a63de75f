-- What on-call is told: one alert for each cause, and where it was delivered.
CREATE SCHEMA alerts;
GRANT USAGE ON SCHEMA alerts TO recon_app;

-- Every class of alerts has its storms now.
DROP TABLE discrepancies.storm;

-- `body` is what is known of the cause; other columns are read out of it for queries, except
-- `told_at` and `inhibited_at`, which go by the clock. A row without a body was made to be locked.
CREATE TABLE alerts.alert (
    dedup_key    text PRIMARY KEY,
    alert_class  text NOT NULL DEFAULT '',
    severity     text NOT NULL DEFAULT 'info',
    state        text NOT NULL DEFAULT 'RESOLVED'
        CHECK (state IN ('FIRING', 'ACKNOWLEDGED', 'RESOLVED')),
    scope        text,
    feed         text,
    is_told      boolean NOT NULL DEFAULT false,
    inhibited_by text,
    inhibited_at timestamptz,
    quiet_until  timestamptz,   -- of what is inhibited because it is no trouble before then
    told_at      timestamptz,
    first_seen   timestamptz,
    last_seen    timestamptz,
    version      bigint NOT NULL DEFAULT 0,
    body         jsonb,
    CHECK (NOT (is_told AND inhibited_by IS NOT NULL)),
    CHECK (NOT (is_told AND state = 'RESOLVED'))
) WITH (fillfactor = 70);
CREATE INDEX alert_class ON alerts.alert (alert_class) WHERE state <> 'RESOLVED';
CREATE INDEX alert_scope ON alerts.alert (scope) WHERE state <> 'RESOLVED';
CREATE INDEX alert_feed ON alerts.alert (feed) WHERE feed IS NOT NULL;
CREATE INDEX alert_inhibited ON alerts.alert (inhibited_by) WHERE inhibited_by IS NOT NULL;
CREATE INDEX alert_critical ON alerts.alert (alert_class) WHERE is_told AND severity = 'critical';

-- What happened to each, for whoever asks later; repeats of the same are only counted.
CREATE TABLE alerts.event (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedup_key   text NOT NULL,
    at          timestamptz NOT NULL,
    what        text NOT NULL,   -- the signal
    action      text,            -- what was told, if anything was
    version     bigint NOT NULL,
    state       text NOT NULL,
    severity    text NOT NULL,
    alert_class text NOT NULL,
    summary     text NOT NULL,
    count       integer NOT NULL,
    inhibited_by text,
    actor       text,
    reason      text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX event_key ON alerts.event (dedup_key, event_id);
CREATE INDEX event_age ON alerts.event (recorded_at);

-- Where each sink has arrived on the topic, and whether it takes anything. One process at a time
-- works for a sink; the term of one that died runs out.
CREATE TABLE alerts.bridge (
    sink          text PRIMARY KEY,
    next_offset   bigint NOT NULL,
    owner         text NOT NULL DEFAULT '',
    owned_until   timestamptz NOT NULL DEFAULT '-infinity',
    failing_since timestamptz,
    failures      integer NOT NULL DEFAULT 0,
    again_at      timestamptz,
    trouble       text,
    disabled_at   timestamptz,
    renewed_at    timestamptz
) WITH (fillfactor = 50);

-- Each alert record once for each sink. `identity` is what the sink knows the alert by, if that is
-- not its key.
CREATE TABLE alerts.delivery (
    sink         text NOT NULL,
    delivery_id  text NOT NULL,
    dedup_key    text NOT NULL,
    version      bigint NOT NULL,
    action       text NOT NULL,
    off          bigint NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('SENT', 'PARKED')),
    detail       text NOT NULL DEFAULT '',
    identity     jsonb,
    delivered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (sink, delivery_id)
);
CREATE INDEX delivery_cause ON alerts.delivery (sink, dedup_key, off);
CREATE INDEX delivery_age ON alerts.delivery (delivered_at);

GRANT SELECT, INSERT, UPDATE ON alerts.alert, alerts.bridge TO recon_app;
-- What is old and over is deleted; who stopped and released what is kept elsewhere, for good.
GRANT SELECT, INSERT, DELETE ON alerts.event, alerts.delivery TO recon_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA alerts TO recon_app;
