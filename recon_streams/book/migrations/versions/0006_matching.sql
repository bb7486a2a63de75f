-- Which bank item is which ledger item. What is claimed is claimed once: two unique indexes say so.

CREATE SCHEMA matching;

-- The items as matching sees them; nothing else of `positions` is read for them.
-- The day of a bank item is that of the newest statement that has it; until there is one, that of
-- whoever told it first.
CREATE VIEW matching.bank_item AS
SELECT e.number, e.sequence, e.part, e.arrived_on,
    coalesce(c.booked_on, e.booked_on) AS day, e.net AS amount, e.value_on,
    lower(e.uetr) AS uetr, e.servicer_reference, e.entry_reference,
    e.clearing_reference, e.end_to_end_id, e.batch_reference, e.counterparty, e.remittance, e.code = 'WITHDRAWN' AS takes_back
FROM positions.bank_entry AS e
LEFT JOIN LATERAL (
    SELECT c.booked_on FROM positions.entry_confirmation AS c
    WHERE c.number = e.number AND c.sequence = e.sequence AND c.part = e.part
        AND c.stated AND NOT c.withdraws AND c.booked_on IS NOT NULL
    ORDER BY c.arrived_on DESC, c.booked_on DESC LIMIT 1
) AS c ON true
WHERE e.net <> 0;

-- The day of a ledger item is the account's own day of the movement: `occurred_at` in its zone.
CREATE VIEW matching.ledger_item AS
SELECT number, ledger_sequence, sequence, movement_id, occurred_at, amount, kind, reference,
    lower(uetr) AS uetr, bank_reference, batch_reference, NULL::text AS counterparty
FROM positions.ledger_record
WHERE amount <> 0;

CREATE TABLE matching.rule_version (
    version    integer PRIMARY KEY,
    sha256     text NOT NULL,
    source     text NOT NULL,   -- the name of the file
    content    text NOT NULL,   -- the file
    actor      text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE matching.run (
    run_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    day           date NOT NULL,
    rules_version integer NOT NULL,
    rules_sha256  text NOT NULL
);

-- What a run had read of each account: everything up to this account event.
CREATE TABLE matching.run_account (
    run_id  bigint NOT NULL,
    number  integer NOT NULL,
    through bigint NOT NULL,
    PRIMARY KEY (run_id, number)
);

-- The newest of that, and the day up to which confirmations have moved days of matched items.
CREATE TABLE matching.progress (
    number       integer PRIMARY KEY,
    through      bigint NOT NULL,
    confirmed_on date
) WITH (fillfactor = 70);

-- One line for a pair; of one-to-many, many-to-one and many-to-many as many lines as the longer side
-- has items. `difference`, `explained_by` and `because` stand on line 0. `because` is NULL where it
-- follows from the rule and the two items. A released match stays, with the action that released it.
CREATE TABLE matching.match (
    number          integer NOT NULL,
    match_id        bigint NOT NULL,
    line            integer NOT NULL,
    run_id          bigint,          -- NULL: by hand
    rule            text NOT NULL,   -- name of the pass, or 'hand'
    score           smallint NOT NULL,
    bank_sequence   bigint,
    bank_part       integer,
    ledger_sequence bigint,
    bank_amount     numeric,
    ledger_amount   numeric,
    bank_on         date,
    ledger_on       date,
    last_on         date NOT NULL,   -- of all items of the match
    difference      numeric,         -- bank less ledger; NULL if there is none
    explained_by    text,
    because         text[],
    released_by     bigint           -- matching.action
);
CREATE SEQUENCE matching.match_id CACHE 100;
CREATE UNIQUE INDEX match_bank ON matching.match (number, bank_sequence, bank_part)
    WHERE released_by IS NULL AND bank_sequence IS NOT NULL;
CREATE UNIQUE INDEX match_ledger ON matching.match (number, ledger_sequence)
    WHERE released_by IS NULL AND ledger_sequence IS NOT NULL;
-- Both grow with the rows, so a few pages answer for any id and any recent day.
CREATE INDEX match_found ON matching.match USING brin (match_id, last_on)
    WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX match_difference ON matching.match (number) WHERE difference IS NOT NULL;
CREATE INDEX match_by_hand ON matching.match (number, match_id)
    WHERE rule = 'hand' AND released_by IS NULL;
CREATE INDEX match_released ON matching.match (number) WHERE released_by IS NOT NULL;

-- One row for each item of a match, for reading.
CREATE VIEW matching.match_leg AS
SELECT number, match_id, 'B' AS side, bank_sequence AS sequence, bank_part AS part,
    bank_amount AS amount, bank_on AS day, rule, score, released_by
FROM matching.match WHERE bank_sequence IS NOT NULL
UNION ALL
SELECT number, match_id, 'L', ledger_sequence, 0, ledger_amount, ledger_on, rule, score, released_by
FROM matching.match WHERE ledger_sequence IS NOT NULL;

-- What is open after the newest run, and why.
CREATE TABLE matching.open_item (
    number     integer NOT NULL,
    side       text NOT NULL CHECK (side IN ('B', 'L')),
    sequence   bigint NOT NULL,      -- a ledger item's ledger sequence
    part       integer NOT NULL,
    arrived_on date,                 -- a bank item's, to find its row
    name       text NOT NULL,
    day        date NOT NULL,
    amount     numeric NOT NULL,
    reference  text,
    since      date NOT NULL,        -- day of the first run that left it open
    why        text NOT NULL,
    reason     text NOT NULL,
    candidates jsonb NOT NULL,
    finding    text,                 -- kind and subject of what was found of it
    PRIMARY KEY (number, side, sequence, part)
) WITH (fillfactor = 80);

CREATE TABLE matching.suggestion (
    number     integer NOT NULL,
    suggestion text NOT NULL,        -- named by its items, so that it keeps its name
    rule       text NOT NULL,
    score      smallint NOT NULL,
    bank       jsonb NOT NULL,       -- [[sequence, part], ...]
    ledger     jsonb NOT NULL,
    difference numeric NOT NULL,
    explained_by text NOT NULL,
    because    text[] NOT NULL,
    PRIMARY KEY (number, suggestion)
);

-- What people did, for ever.
CREATE TABLE matching.action (
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number    integer NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('MATCH', 'CONFIRM', 'UNMATCH')),
    match_id  bigint NOT NULL,
    actor     text NOT NULL CHECK (actor <> ''),
    reason    text NOT NULL CHECK (reason <> ''),
    acted_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX action_match ON matching.action (match_id);

GRANT USAGE ON SCHEMA matching TO recon_app;
GRANT SELECT ON ALL TABLES IN SCHEMA matching TO recon_app;
GRANT INSERT ON matching.rule_version, matching.run, matching.run_account, matching.progress,
    matching.match, matching.open_item, matching.suggestion, matching.action TO recon_app;
GRANT UPDATE ON matching.progress, matching.open_item TO recon_app;
GRANT UPDATE (released_by, bank_on, last_on) ON matching.match TO recon_app;
GRANT DELETE ON matching.open_item, matching.suggestion TO recon_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA matching TO recon_app;
-- A run keeps what it works on in temporary tables.
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO recon_app', current_database()); END $$;
