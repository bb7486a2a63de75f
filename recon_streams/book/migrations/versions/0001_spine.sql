-- The spine: every input with what became of it, the position of each stream, and the outbox.
-- Append-only tables get no UPDATE or DELETE for the application's role; see the grants at the end.

CREATE SCHEMA book;

-- Which log the positions below belong to. Another log, or an empty book beside a full log, is
-- noticed at start instead of being read from the beginning as if nothing had happened.
CREATE TABLE book.log_identity (
    only_one     boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    log_identity text NOT NULL,
    noted_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- `through_at`: everything that reached this partition before that instant has been decided. The
-- breaker's lease hangs on the smallest of them, and so do instants that fall due.
CREATE TABLE book.stream (
    stream       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic        text NOT NULL,
    part         integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset  bigint NOT NULL,
    through_at   timestamptz,
    UNIQUE (topic, part),
    CHECK (first_offset <= next_offset)
) WITH (fillfactor = 50);

-- One row for every offset; a proven hole of the log is one row that spans it.
CREATE TABLE book.input (
    stream       integer NOT NULL,  -- book.stream; no foreign key, its check would cost each row
    off          bigint NOT NULL,
    span         bigint NOT NULL DEFAULT 1 CHECK (span > 0),
    at           timestamptz NOT NULL,
    key          bytea,
    payload      bytea,
    sha256       bytea,
    disposition  text NOT NULL,
    duplicate_of text,
    decided_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream, off)
);
-- Evidence is read back rarely and written always; compressing it costs half the write speed.
ALTER TABLE book.input ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE book.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream        integer NOT NULL,
    off           bigint NOT NULL,
    code          text NOT NULL,
    field         text NOT NULL,
    rule          text NOT NULL,
    detail        text NOT NULL,
    noted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (stream, off) REFERENCES book.input
);
CREATE INDEX quarantine_input ON book.quarantine (stream, off);

-- One answer for each: what was dismissed is not replayed, and the other way round.
CREATE TABLE book.quarantine_action (
    quarantine_id bigint PRIMARY KEY REFERENCES book.quarantine,
    action        text NOT NULL CHECK (action IN ('REPLAYED', 'DISMISSED')),
    actor         text NOT NULL,
    reason        text NOT NULL DEFAULT '',
    acted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((action = 'DISMISSED') = (reason <> ''))
);

CREATE TABLE book.outbox (
    outbox_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic          text NOT NULL,
    key            bytea,
    payload        bytea NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at   timestamptz,
    published_part integer,
    published_off  bigint
) WITH (fillfactor = 80);
CREATE INDEX outbox_waiting ON book.outbox (outbox_id) WHERE published_at IS NULL;
CREATE INDEX outbox_breaker ON book.outbox (outbox_id)
    WHERE published_at IS NULL AND topic LIKE 'recon.breaker%';

CREATE TABLE book.publisher (
    only_one        boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    publisher_id    text NOT NULL DEFAULT '',
    publisher_epoch bigint NOT NULL DEFAULT 0,
    lease_seq       bigint NOT NULL DEFAULT 0,
    lease_until     timestamptz
) WITH (fillfactor = 50);
INSERT INTO book.publisher DEFAULT VALUES;
