-- When things are due, and what a look at an account found.

CREATE SCHEMA schedule;

-- Since when a kind of tick exists here, and through which registry it is planned. What was due
-- before a kind was born is not made up for.
CREATE TABLE schedule.kind (
    kind             text PRIMARY KEY,
    born_at          timestamptz NOT NULL,
    registry_version integer NOT NULL DEFAULT 0
);

-- One row for each kind and account, or for the whole installation. `due_at` is the next instant
-- that was not emitted; NULL while the definition knows none. `after` is the one before it: nothing
-- up to there is emitted again. `registry_version` is that of the definition it is planned by.
CREATE TABLE schedule.due (
    kind             text NOT NULL REFERENCES schedule.kind,
    subject          text NOT NULL,
    number           integer,
    registry_version integer NOT NULL,
    after            timestamptz NOT NULL,
    due_at           timestamptz CHECK (due_at > after),
    PRIMARY KEY (kind, subject)
) WITH (fillfactor = 60);
CREATE INDEX due_next ON schedule.due (due_at) WHERE due_at IS NOT NULL;

CREATE SCHEMA sweeps;

-- One look at one account. `request_id` is '' where the schedule asked. The figures are the book's
-- at `version`; what the bank said comes later and is judged as of its own instant.
CREATE TABLE sweeps.sweep (
    number              integer NOT NULL,
    due_at              timestamptz NOT NULL,
    request_id          text NOT NULL DEFAULT '',
    state               text NOT NULL CHECK (state IN ('WAITING', 'DECIDED')),
    swept_at            timestamptz NOT NULL,  -- when the tick arrived
    late                boolean NOT NULL,      -- a later instant was due already
    origin              text NOT NULL,         -- topic/partition/offset of the tick
    version             bigint NOT NULL,       -- of the account's log
    rules_version       integer NOT NULL,
    ledger              numeric,
    bank                numeric,
    difference          numeric,
    explained           numeric NOT NULL,
    unexplained         numeric,
    raw_tier            text NOT NULL,         -- of the book, before payments explain anything
    tier                text NOT NULL,         -- of the book
    rule                text NOT NULL,
    breaker             text NOT NULL,
    in_flight           bytea NOT NULL,        -- the payments that explain something, or are overdue
    verdict             text NOT NULL,         -- of the sweep: the book's, and what the bank says to it
    table_state         text NOT NULL,
    points              integer NOT NULL,      -- in the trend
    velocity            numeric,               -- of the unexplained difference, an hour
    deviation           numeric,               -- median absolute deviation from the trend
    score               numeric,               -- of the newest difference, in deviations
    reaches_limit_at    timestamptz,
    warned              boolean NOT NULL DEFAULT false,
    bank_state          text NOT NULL,
    bank_balance        numeric,
    bank_as_of          timestamptz,
    bank_ours           numeric,               -- our bank figure as of that instant
    bank_ledger         numeric,               -- our ledger figure as of that instant
    bank_detail         text NOT NULL DEFAULT '',
    bank_origin         text NOT NULL DEFAULT '',
    decided_at          timestamptz,
    PRIMARY KEY (number, due_at, request_id)
) WITH (fillfactor = 80);
CREATE INDEX sweep_due ON sweeps.sweep (due_at);
CREATE INDEX sweep_waiting ON sweeps.sweep (due_at) WHERE state = 'WAITING';
CREATE INDEX sweep_request ON sweeps.sweep (request_id) WHERE request_id <> '';

-- A question to a bank. Taken by one poller at a time; if that dies, its lease ends.
CREATE TABLE sweeps.question (
    question_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      integer NOT NULL,
    account_id  text NOT NULL,
    currency    text NOT NULL,
    connector   text NOT NULL,
    due_at      timestamptz NOT NULL,
    request_id  text NOT NULL,
    round       smallint NOT NULL,             -- 2: asked again, before an alarm is raised
    not_before  timestamptz NOT NULL,
    give_up_at  timestamptz NOT NULL,
    lease_until timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    answered_at timestamptz,                   -- the answer is on the log
    taken_at    timestamptz,                   -- the answer is in the book
    UNIQUE (number, due_at, request_id, round)
) WITH (fillfactor = 60);
CREATE INDEX question_open ON sweeps.question (not_before) WHERE answered_at IS NULL;

-- A window that was closed: its report was made once.
CREATE TABLE sweeps.window_closed (
    window_until timestamptz PRIMARY KEY,
    window_from  timestamptz NOT NULL,
    closed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT USAGE ON SCHEMA schedule, sweeps TO recon_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA schedule, sweeps TO recon_app;
GRANT UPDATE (registry_version) ON schedule.kind TO recon_app;
GRANT UPDATE (registry_version, after, due_at) ON schedule.due TO recon_app;
GRANT UPDATE (state, verdict, bank_state, bank_balance, bank_as_of, bank_ours, bank_ledger,
    bank_detail, bank_origin, decided_at) ON sweeps.sweep TO recon_app;
GRANT UPDATE (lease_until, attempts, answered_at, taken_at) ON sweeps.question TO recon_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA sweeps TO recon_app;
