-- What the bank's statements say: every booked entry once, which statements confirm it, and the chain
-- of the statements themselves. Partitions go by the month of arrival, which only grows: years of
-- history do not slow the day.

-- One row for each payment the bank told us of. `net` is what the row adds to the account's booked
-- balance; the sum of `net` over any set of days is what the bank booked on them. Part 0 is the entry
-- itself, or of a batch what its recognisable transactions leave over; parts from 1 are those
-- transactions, if they were new. (sequence, part) is the payment of `positions.payment_mark`.
CREATE TABLE positions.bank_entry (
    number             integer NOT NULL,
    sequence           bigint NOT NULL,  -- of the account event that brought it
    part               integer NOT NULL,
    arrived_on         date NOT NULL,    -- UTC day of the event
    -- As printed; without one, the day of arrival in the account's zone; and never outside the days
    -- of the statement that told it first.
    booked_on          date NOT NULL,
    value_on           date,
    amount             numeric NOT NULL, -- signed, as printed
    net                numeric NOT NULL,
    uetr               text,
    servicer_reference text,             -- of the transaction, else of the entry
    entry_reference    text,             -- the bank's for the whole entry
    clearing_reference text,
    end_to_end_id      text,
    batch_reference    text,             -- what the transactions of one batch share
    counterparty       text,
    remittance         text,
    code               text NOT NULL,
    look               bytea,            -- digest of how the entry looks, for those without references
    reversal           boolean NOT NULL,
    message            text NOT NULL,    -- camt.052, camt.053 or camt.054: who told it first
    stated             boolean NOT NULL DEFAULT false,  -- that was the record of the day
    origin             text NOT NULL,    -- topic/partition/offset
    path               text NOT NULL,
    PRIMARY KEY (number, sequence, part, arrived_on)
) PARTITION BY RANGE (arrived_on);
CREATE INDEX bank_entry_day ON positions.bank_entry (number, booked_on);
-- Single lines that name no payment, and may stand for many.
CREATE INDEX bank_entry_lump ON positions.bank_entry (number, booked_on, amount)
    WHERE part = 0 AND net = amount AND uetr IS NULL AND end_to_end_id IS NULL
        AND code <> 'WITHDRAWN';
CREATE INDEX bank_entry_look ON positions.bank_entry (number, look) WHERE look IS NOT NULL;

-- A later message that says the same payment again. `booked_on` is the day it gives; that of a
-- statement counts. A corrected statement that no longer has it withdraws it; the money is taken back
-- by a row of `positions.bank_entry` of its own.
CREATE TABLE positions.entry_confirmation (
    number     integer NOT NULL,
    sequence   bigint NOT NULL,
    part       integer NOT NULL,
    arrived_on date NOT NULL,
    message    text NOT NULL,
    booked_on  date,
    stated     boolean NOT NULL DEFAULT false,  -- `message` is the record of the day
    withdraws  boolean NOT NULL DEFAULT false,
    origin     text NOT NULL,
    path       text NOT NULL,
    PRIMARY KEY (number, sequence, part, arrived_on, origin, path)
) PARTITION BY RANGE (arrived_on);

-- What each day adds to the booked balance, by the day that counts: what an anchor of some day does
-- not contain is the sum of the days after it, however many entries they have.
CREATE TABLE positions.bank_day (
    number integer NOT NULL,
    day    date NOT NULL,
    net    numeric NOT NULL,
    PRIMARY KEY (number, day)
);

-- In which partition the payment stands that a mark leads to.
ALTER TABLE positions.payment_mark ADD COLUMN arrived_on date;

CREATE TABLE positions.bank_entry_otherwise PARTITION OF positions.bank_entry DEFAULT;
CREATE TABLE positions.entry_confirmation_otherwise PARTITION OF positions.entry_confirmation DEFAULT;

-- Makes the partitions of the months from `since` through `until`; those that are there are left.
CREATE FUNCTION positions.make_months(since date, until date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    month date := date_trunc('month', since)::date;
    parent text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('positions.make_months', 0));
    WHILE month <= until LOOP
        FOREACH parent IN ARRAY ARRAY['bank_entry', 'entry_confirmation'] LOOP
            IF to_regclass(format('positions.%s_%s', parent, to_char(month, 'YYYYMM'))) IS NULL THEN
                BEGIN
                    EXECUTE format(
                        'CREATE TABLE positions.%I PARTITION OF positions.%I '
                        'FOR VALUES FROM (%L) TO (%L)',
                        parent || '_' || to_char(month, 'YYYYMM'), parent,
                        month, (month + interval '1 month')::date);
                    made := made + 1;
                EXCEPTION WHEN check_violation THEN
                    -- Rows of that month stand in the default partition already; they stay there.
                    RAISE NOTICE 'the month % of % stays in its default partition', month, parent;
                END;
            END IF;
        END LOOP;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION positions.make_months FROM PUBLIC;
SELECT positions.make_months(current_date, (current_date + interval '2 months')::date);

-- Each statement, report or page that was understood, as it was received.
CREATE TABLE positions.statement (
    number              integer NOT NULL,
    origin              text NOT NULL,   -- topic/partition/offset of the record that completed it
    path                text NOT NULL,
    key                 bytea NOT NULL,  -- equal for versions of one statement
    version             integer NOT NULL,
    message             text NOT NULL,
    statement_id        text,
    electronic_sequence bigint,
    legal_sequence      bigint,
    opening_on          date,
    closing_on          date,
    opening             numeric,
    opening_code        text,
    closing             numeric,
    closing_code        text,
    credits             numeric NOT NULL,
    debits              numeric NOT NULL,
    entry_count         bigint NOT NULL,
    difference          numeric,         -- closing - (opening + booked); NULL if there is no such pair
    closing_at          timestamptz,
    created_at          timestamptz,
    content             bytea NOT NULL,
    status              text NOT NULL CHECK
        (status IN ('ACCEPTED', 'OBSERVED', 'WAITING', 'UNBALANCED', 'SUPERSEDED')),
    arrived_at          timestamptz NOT NULL,
    PRIMARY KEY (number, origin, path)
);
CREATE INDEX statement_day ON positions.statement (number, closing_on);
CREATE INDEX statement_key ON positions.statement (number, key);

-- The pages of a statement that has not come whole yet.
CREATE TABLE positions.statement_page (
    number      integer NOT NULL,
    key         bytea NOT NULL,
    page        integer NOT NULL,
    last_page   boolean NOT NULL,
    content     bytea NOT NULL,
    opening      numeric,
    opening_code text,
    opening_on   date,
    closing      numeric,
    closing_code text,
    closing_on   date,
    credits     numeric NOT NULL,
    debits      numeric NOT NULL,
    entry_count bigint NOT NULL,
    -- How many of its entries nobody had announced, and their sum.
    unannounced     bigint NOT NULL,
    unannounced_net numeric NOT NULL,
    origin      text NOT NULL,
    path        text NOT NULL,
    arrived_at  timestamptz NOT NULL,
    PRIMARY KEY (number, key, page)
);

-- What matching needs to know of a ledger record.
ALTER TABLE positions.ledger_record
    ADD COLUMN kind text,
    ADD COLUMN occurred_at timestamptz,
    ADD COLUMN uetr text,
    ADD COLUMN bank_reference text,
    ADD COLUMN batch_reference text;
CREATE INDEX ledger_record_event ON positions.ledger_record (number, sequence);

GRANT SELECT, INSERT ON positions.bank_entry, positions.entry_confirmation, positions.bank_day,
    positions.statement, positions.statement_page TO recon_app;
GRANT UPDATE (net) ON positions.bank_day TO recon_app;
GRANT UPDATE (status) ON positions.statement TO recon_app;
GRANT EXECUTE ON FUNCTION positions.make_months TO recon_app;
