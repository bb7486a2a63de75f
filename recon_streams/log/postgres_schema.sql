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

-- Append one record per element of the arrays, in that order within a partition, and return the
-- offsets in the order of the arrays. One call per transaction: it takes the counter rows in the
-- order of their keys, which two calls in one transaction would not.
CREATE FUNCTION log.append(
    topic_ids integer[], parts integer[], keys bytea[], headers jsonb[], payloads bytea[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    wanted integer;
    locked integer;
    placed bigint[];
BEGIN
    SELECT count(*) INTO wanted
    FROM (SELECT DISTINCT topic_id, part FROM unnest(topic_ids, parts) AS r (topic_id, part)) AS w;

    SELECT count(*) INTO locked FROM (
        SELECT FROM log.partition AS p
        WHERE (p.topic_id, p.part) IN (SELECT * FROM unnest(topic_ids, parts))
        ORDER BY p.topic_id, p.part
        FOR NO KEY UPDATE
    ) AS l;
    IF locked < wanted THEN
        RAISE undefined_object USING MESSAGE = 'a partition to append to does not exist';
    END IF;

    WITH arriving AS (
        SELECT r.*, row_number() OVER (PARTITION BY topic_id, part ORDER BY place) - 1 AS nth
        FROM unnest(topic_ids, parts, keys, headers, payloads)
            WITH ORDINALITY AS r (topic_id, part, key, headers, payload, place)
    ), advanced AS (
        UPDATE log.partition AS p SET next_off = p.next_off + a.records
        FROM (SELECT topic_id, part, count(*) AS records FROM arriving GROUP BY 1, 2) AS a
        WHERE (p.topic_id, p.part) = (a.topic_id, a.part)
        RETURNING p.topic_id, p.part, p.next_off, p.next_off - a.records AS first_off
    ), stored AS (
        INSERT INTO log.record (topic_id, part, off, key, headers, payload, at)
        SELECT topic_id, part, first_off + nth, key, a.headers, payload, clock.now
        FROM arriving AS a
        JOIN advanced USING (topic_id, part)
        -- Read once and under the lock, so that append times never go backwards in a partition.
        CROSS JOIN (SELECT clock_timestamp() AS now) AS clock
    ), told AS (
        SELECT count(pg_notify('recon_log', format('%s:%s:%s', topic_id, part, next_off)))
        FROM advanced
    )
    SELECT array_agg(first_off + nth ORDER BY place) INTO placed
    FROM arriving JOIN advanced USING (topic_id, part) CROSS JOIN told;
    RETURN coalesce(placed, '{}');
END $$;

-- The same for a person with psql: text in, one record, its offset out. The partition is named,
-- because the rule that sends keys to partitions lives in the clients.
CREATE FUNCTION log.append_text(topic text, part integer, key text, value text) RETURNS bigint
LANGUAGE sql AS $$
    SELECT (log.append(
        ARRAY[t.topic_id], ARRAY[append_text.part], ARRAY[convert_to(append_text.key, 'UTF8')],
        ARRAY[NULL::jsonb], ARRAY[convert_to(append_text.value, 'UTF8')]
    ))[1]
    FROM log.topic AS t WHERE t.name = append_text.topic
$$;
