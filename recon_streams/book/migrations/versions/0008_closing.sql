-- The days of accounts: what was asked for, every version of what was found, and who closed it.

CREATE SCHEMA closing;

-- What a version of the calendars says, kept when it was used first: a result can be made again.
CREATE TABLE closing.calendar_version (
    version  text PRIMARY KEY,
    content  bytea NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Which of them count, the newest last: for everybody who has the book and not the operator's file.
CREATE TABLE closing.calendar_in_force (
    place    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version  text NOT NULL REFERENCES closing.calendar_version,
    since_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Days that are to be looked at: their instant came, or something of them arrived. Taken by one
-- worker at a time and gone with its unit.
CREATE TABLE closing.request (
    number       integer NOT NULL REFERENCES positions.account,
    day          date NOT NULL,
    cause        text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (number, day)
);
CREATE INDEX request_oldest ON closing.request (requested_at);

-- Locked by whoever runs a day: one at a time. It has no rows.
CREATE TABLE closing.turn (nothing boolean);

-- Ticks that were decided, so that none is decided twice.
CREATE TABLE closing.tick (
    number integer NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (number, due_at)
);

-- Where a day stands; the fold of its actions, read out of them for queries.
CREATE TABLE closing.day (
    number   integer NOT NULL REFERENCES positions.account,
    day      date NOT NULL,
    state    text NOT NULL CHECK (state IN ('OPEN', 'RUN', 'CLOSED', 'REOPENED')),
    version  integer NOT NULL DEFAULT 0,  -- the newest snapshot
    sequence integer NOT NULL,            -- the newest action
    -- What the newest run has seen, whether or not it found anything new.
    looked_sequence     bigint NOT NULL DEFAULT 0,
    looked_statement_at timestamptz,
    PRIMARY KEY (number, day)
) WITH (fillfactor = 80);
CREATE INDEX day_by_date ON closing.day (day);

CREATE TABLE closing.day_action (
    number   integer NOT NULL,
    day      date NOT NULL,
    sequence integer NOT NULL,
    action   text NOT NULL CHECK (action IN ('RUN', 'CLOSE', 'REOPEN', 'CORRECT')),
    to_state text NOT NULL,
    version  integer NOT NULL,            -- the snapshot it is about
    sha256   text NOT NULL,
    actor    text NOT NULL,
    reason   text NOT NULL DEFAULT '',
    waived   text NOT NULL DEFAULT '',    -- what stood against closing, and was accepted
    approved_by text,                     -- the second person, once there is one
    at       timestamptz NOT NULL,
    PRIMARY KEY (number, day, sequence)
);

-- The reconciliation statement of an account's day, as bytes. Nothing here is ever changed: what
-- comes later makes another version, which names the hash of the one it corrects. `event_sequence` is
-- how much of the account's own log it has seen.
CREATE TABLE closing.snapshot (
    number             integer NOT NULL,
    day                date NOT NULL,
    version            integer NOT NULL CHECK (version > 0),
    sha256             text NOT NULL,
    figures_sha256     text NOT NULL,     -- without coverage and age: what makes a version
    corrects           text,
    content            bytea NOT NULL,
    event_sequence     bigint NOT NULL,
    inputs_through_at  timestamptz NOT NULL,
    cut_off_at         timestamptz NOT NULL,
    proof              numeric,
    tier               text NOT NULL,
    statement_origin   text,
    figures            bytea NOT NULL,    -- what the life of the day depends on, as JSON
    calendar_version   text NOT NULL REFERENCES closing.calendar_version,
    stored_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (number, day, version),
    CHECK (sha256 = encode(sha256(content), 'hex')),
    CHECK ((version > 1) = (corrects IS NOT NULL))
);

GRANT USAGE ON SCHEMA closing TO recon_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA closing TO recon_app;
-- Whoever takes a request locks it first, which takes the right to change it.
GRANT UPDATE ON closing.turn TO recon_app;
GRANT DELETE, UPDATE (cause) ON closing.request TO recon_app;
GRANT UPDATE (state, version, sequence, looked_sequence, looked_statement_at) ON closing.day TO recon_app;
