-- The log of the embedded default: topics, counters and records, and the one way to append.
--
-- A record's offset comes from the counter row of its partition, and the row stays locked until the
-- appending transaction ends. So offsets become visible in their order, a slow committer can never
-- make a reader skip, and an append that is rolled back leaves no hole.

CREATE SCHEMA log;

-- Which log this is. Positions of another log mean nothing here.
CREATE TABLE log.identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    log_id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO log.identity DEFAULT VALUES;

CREATE TABLE log.topic (
    topic_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    partitions integer NOT NULL CHECK (partitions > 0),
    config jsonb NOT NULL DEFAULT '{}'
);

-- The counters. Rows are updated by every append: room on the page keeps those updates in place.
CREATE TABLE log.partition (
    topic_id integer NOT NULL REFERENCES log.topic,
    part integer NOT NULL,
    start_off bigint NOT NULL DEFAULT 0,
    next_off bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (topic_id, part),
    CHECK (0 <= start_off AND start_off <= next_off)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- No foreign key: log.append has just locked the counter row, which has one.
CREATE TABLE log.record (
    topic_id integer NOT NULL,
    part integer NOT NULL,
    off bigint NOT NULL,
    key bytea,
    headers jsonb,  -- [[name, base64 of the value], ...]; NULL for none
    payload bytea,
    at timestamptz NOT NULL,
    PRIMARY KEY (topic_id, part, off)
);
-- Payloads are incompressible, compressed already, or read back at once: compressing them halves
-- the rate of appends.
ALTER TABLE log.record ALTER COLUMN payload SET STORAGE EXTERNAL;
-- Messages of a few kB stay in the row: a side table would be a second insert for each of them.
ALTER TABLE log.record SET (toast_tuple_target = 8160);

-- Move the counters of some partitions, each named once, by as many records as are coming, and
-- return the first offset for each, in the order of the arrays, and the one append time of all.
--
-- The rows are locked in the order of their keys, so call it once per transaction: two calls could
-- meet two calls of another transaction in a deadlock.
CREATE FUNCTION log.advance(
    topic_ids integer[], parts integer[], counts bigint[],
    OUT first_offs bigint[], OUT appended_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    locked integer;
BEGIN
    SELECT count(*) INTO locked FROM (
        SELECT FROM log.partition AS p
        WHERE (p.topic_id, p.part) IN (SELECT * FROM unnest(topic_ids, parts))
        ORDER BY p.topic_id, p.part
        FOR NO KEY UPDATE
    ) AS l;
    IF locked < cardinality(topic_ids) THEN
        RAISE undefined_object USING MESSAGE = 'a partition to append to does not exist';
    END IF;
    -- Read once and under the locks, so that append times never go backwards in a partition.
    appended_at := clock_timestamp();
    WITH coming AS (
        SELECT * FROM unnest(topic_ids, parts, counts)
            WITH ORDINALITY AS c (topic_id, part, records, place)
    ), advanced AS (
        UPDATE log.partition AS p SET next_off = p.next_off + c.records
        FROM coming AS c WHERE (p.topic_id, p.part) = (c.topic_id, c.part)
        RETURNING c.place, p.next_off - c.records AS first_off,
            pg_notify('recon_log', format('%s:%s:%s', p.topic_id, p.part, p.next_off))
    )
    SELECT array_agg(first_off ORDER BY place) INTO first_offs FROM advanced;
END $$;

-- Append in one call: record i goes to the partition that `targets[i]`, counted from 1, names, as
-- its `nths[i]`-th record, counted from 0. Returns what log.advance returned.
CREATE FUNCTION log.append(
    topic_ids integer[], parts integer[], counts bigint[],
    targets integer[], nths bigint[], keys bytea[], headers jsonb[], payloads bytea[],
    OUT first_offs bigint[], OUT appended_at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.first_offs, a.appended_at INTO first_offs, appended_at
    FROM log.advance(topic_ids, parts, counts) AS a;
    INSERT INTO log.record (topic_id, part, off, key, headers, payload, at)
    SELECT topic_ids[r.target], parts[r.target], first_offs[r.target] + r.nth,
        r.key, r.headers, r.payload, append.appended_at
    FROM unnest(targets, nths, keys, headers, payloads) AS r (target, nth, key, headers, payload);
END $$;

-- For a person with psql: text in, one record, its offset out. The partition is named, because the
-- rule that sends keys to partitions lives in the clients.
CREATE FUNCTION log.append_text(topic text, part integer, key text, value text) RETURNS bigint
LANGUAGE sql AS $$
    SELECT (log.append(
        ARRAY[t.topic_id], ARRAY[append_text.part], ARRAY[1], ARRAY[1], ARRAY[0],
        ARRAY[convert_to(append_text.key, 'UTF8')], ARRAY[NULL::jsonb],
        ARRAY[convert_to(append_text.value, 'UTF8')]
    )).first_offs[1]
    FROM log.topic AS t WHERE t.name = append_text.topic
$$;
