-- Ledger versus bank: the account registry, each account's log and state, and what recognises a payment.

CREATE SCHEMA positions;

CREATE TABLE positions.registry_version (
    version    integer PRIMARY KEY,
    source     text NOT NULL,
    actor      text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE positions.account (
    number     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL,
    currency   text NOT NULL,
    UNIQUE (account_id, currency)
);

CREATE TABLE positions.account_version (
    number     integer NOT NULL REFERENCES positions.account,
    version    integer NOT NULL REFERENCES positions.registry_version,
    definition bytea NOT NULL,
    PRIMARY KEY (number, version)
);

-- The gapless log of an account: what its state is folded from.
CREATE TABLE positions.account_event (
    number        integer NOT NULL,
    sequence      bigint NOT NULL,
    rules_version integer NOT NULL,
    event         bytea NOT NULL,
    PRIMARY KEY (number, sequence)
);

-- `state` is the fold; every other column is read out of it for queries and is never an input.
CREATE TABLE positions.account_state (
    number        integer PRIMARY KEY REFERENCES positions.account,
    version       bigint NOT NULL,
    state         bytea NOT NULL,
    wake_at       timestamptz,
    tier          text NOT NULL,
    raw_tier      text NOT NULL,
    rule          text NOT NULL,
    breaker       text NOT NULL,
    bank          numeric,
    ledger        numeric,
    reserved      numeric NOT NULL,
    difference    numeric,
    explained     numeric NOT NULL,
    unexplained   numeric,
    evaluated_at  timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX account_state_wake ON positions.account_state (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE positions.report_seen (
    number  integer NOT NULL,
    key     bytea NOT NULL,
    content bytea NOT NULL,
    origin  text NOT NULL,
    became  text NOT NULL,
    PRIMARY KEY (number, key)
);

CREATE TABLE positions.payment_mark (
    number    integer NOT NULL,
    digest    bytea NOT NULL,
    ordinal   integer NOT NULL,
    rung      smallint NOT NULL,
    sequence  bigint NOT NULL,
    part      integer NOT NULL,
    booked_on date,
    PRIMARY KEY (number, digest, ordinal)
);
-- All marks of one payment, asked for when one of them comes again.
CREATE INDEX payment_mark_payment ON positions.payment_mark (number, sequence, part);

CREATE TABLE positions.bank_leg (
    number    integer NOT NULL,
    reference text NOT NULL,
    amount    numeric NOT NULL,
    PRIMARY KEY (number, reference)
);

CREATE TABLE positions.ledger_record (
    number          integer NOT NULL,
    movement_id     text NOT NULL,
    content         bytea NOT NULL,
    ledger_sequence bigint NOT NULL,
    amount          numeric NOT NULL,
    reference       text,
    names_payment   boolean NOT NULL,
    sequence        bigint NOT NULL,
    PRIMARY KEY (number, movement_id),
    UNIQUE (number, ledger_sequence)
);
CREATE INDEX ledger_record_reference ON positions.ledger_record (number, reference)
    WHERE reference IS NOT NULL;

CREATE TABLE positions.breaker_transition (
    number        integer NOT NULL REFERENCES positions.account,
    epoch         bigint NOT NULL,
    seq           bigint NOT NULL,
    from_state    text,
    to_state      text NOT NULL,
    reason        text NOT NULL,
    evidence      bytea NOT NULL,
    evidence_hash text NOT NULL,
    decided_at    timestamptz NOT NULL,
    PRIMARY KEY (number, epoch)
);
