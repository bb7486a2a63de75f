-- What is wrong, as something with a life: every change of it for ever, and what these changes add up
-- to now.

CREATE SCHEMA discrepancies;

-- `version` counts the actions; every other column but the first four is their fold, read out of it
-- for queries and never an input.
CREATE TABLE discrepancies.discrepancy (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    number        integer NOT NULL REFERENCES positions.account,
    subject       text NOT NULL,
    version       integer NOT NULL,
    state         text NOT NULL,
    severity      text NOT NULL,
    owner         text,
    opened_at     timestamptz NOT NULL,  -- its present life; a reopening begins a new one
    first_seen    timestamptz NOT NULL,
    last_seen     timestamptz NOT NULL,
    occurrences   integer NOT NULL,
    reopenings    integer NOT NULL,
    amount        numeric,
    facts         jsonb NOT NULL,
    belongs_on    date,                  -- the business day it is about, if it is about one
    due_at        timestamptz NOT NULL,
    snoozed_until timestamptz,
    resolved_at   timestamptz,
    reason_code   text,
    reason        text,
    is_alerted    boolean NOT NULL,
    UNIQUE (number, kind, subject)
) WITH (fillfactor = 80);
CREATE INDEX discrepancy_open ON discrepancies.discrepancy (number, kind) WHERE state <> 'RESOLVED';
CREATE INDEX discrepancy_due ON discrepancies.discrepancy (due_at) WHERE state IN ('OPEN', 'ASSIGNED');
CREATE INDEX discrepancy_alerted ON discrepancies.discrepancy (kind) WHERE is_alerted;

-- Kinds of which so many are open that on-call is told of them once instead of one by one.
CREATE TABLE discrepancies.storm (
    kind  text PRIMARY KEY,
    since timestamptz NOT NULL
);

-- Who did what, when and why. `body` is the action as it was decided, from which the fold is made
-- again; the columns after `to_state` say what it made of the discrepancy.
CREATE TABLE discrepancies.action (
    discrepancy bigint NOT NULL REFERENCES discrepancies.discrepancy,
    sequence    integer NOT NULL,
    kind        text NOT NULL,
    at          timestamptz NOT NULL,
    actor       text NOT NULL,
    source      text,      -- the check that spoke, if it was one
    evidence    text,      -- what it spoke of
    reason_code text,
    reason      text,
    from_state  text,
    to_state    text NOT NULL,
    severity    text NOT NULL,
    amount      numeric,
    opened_at   timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    body        jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (discrepancy, sequence)
);
-- One check speaks once of one piece of evidence, however often that is delivered.
CREATE UNIQUE INDEX action_evidence
    ON discrepancies.action (discrepancy, source, evidence, (kind = 'proven_gone'))
    WHERE source IS NOT NULL;

GRANT USAGE ON SCHEMA discrepancies TO recon_app;
GRANT SELECT, INSERT, UPDATE ON discrepancies.discrepancy TO recon_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON discrepancies.storm TO recon_app;
GRANT SELECT, INSERT ON discrepancies.action TO recon_app;
