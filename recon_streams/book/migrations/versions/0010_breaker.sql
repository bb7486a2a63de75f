-- The breaker of every scope: accounts, corridors, everything, and drills.
CREATE SCHEMA breaker;
GRANT USAGE ON SCHEMA breaker TO recon_app;

-- One row a scope, with its newest state. What is newest follows the transitions and nothing else:
-- the application has no right to those columns. `fold` is the state of a scope that is not an
-- account, as its own log of transitions left it; that of an account is in positions.account_state.
CREATE TABLE breaker.scope (
    scope          text PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('account', 'corridor', 'all', 'drill')),
    number         integer UNIQUE REFERENCES positions.account,
    fold           bytea,
    parents        text[] NOT NULL DEFAULT '{}',
    epoch          bigint NOT NULL DEFAULT 0,  -- 0: just made, its first transition is on its way
    seq            bigint NOT NULL DEFAULT 0,
    state          text CHECK (state IN ('CLOSED', 'SUSPENDED', 'OPEN')),
    reason         text,
    decided_at     timestamptz,
    override_until timestamptz,                -- the state is forced until then
    CHECK (kind = split_part(scope, ':', 1)),
    CHECK ((kind = 'account') = (number IS NOT NULL)),
    CHECK (kind <> 'account' OR fold IS NULL),
    CHECK ((epoch = 0) = (state IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX scope_override ON breaker.scope (override_until) WHERE override_until IS NOT NULL;

-- Every change of a scope, with the evidence it rests on. `words` are what a person said.
CREATE TABLE breaker.transition (
    scope          text NOT NULL REFERENCES breaker.scope,
    epoch          bigint NOT NULL CHECK (epoch > 0),
    seq            bigint NOT NULL,
    from_state     text,
    to_state       text NOT NULL,
    reason         text NOT NULL CHECK (btrim(reason) <> ''),
    evidence       bytea NOT NULL,
    evidence_hash  text NOT NULL,
    decided_at     timestamptz NOT NULL,
    parents        text[] NOT NULL,
    actor          text NOT NULL,
    words          text NOT NULL DEFAULT '',
    approval_id    bigint,
    maker          text,
    checker        text,
    override_until timestamptz,
    noted_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, epoch),
    CHECK ((reason = 'OVERRIDE') = (override_until IS NOT NULL)),
    CHECK (override_until <= decided_at + interval '30 minutes')
);

-- Those by which something was let go: few, and asked for again and again.
CREATE INDEX transition_release ON breaker.transition (scope, epoch)
    WHERE (from_state = 'OPEN' AND to_state <> 'OPEN') OR reason IN ('RESET', 'OVERRIDE');

-- What was recorded so far moves here, as it is.
INSERT INTO breaker.scope (scope, kind, number, epoch, seq, state, reason, decided_at, parents)
SELECT 'account:' || a.account_id || ':' || a.currency, 'account', a.number,
    -- One more record of the same epoch is written below: it names the parents.
    t.epoch, t.seq + 1, t.to_state, t.reason, t.decided_at, '{all}'
FROM positions.account AS a CROSS JOIN LATERAL (
    SELECT * FROM positions.breaker_transition AS t
    WHERE t.number = a.number ORDER BY t.epoch DESC LIMIT 1
) AS t;
INSERT INTO breaker.transition (scope, epoch, seq, from_state, to_state, reason, evidence,
    evidence_hash, decided_at, parents, actor, noted_at)
SELECT s.scope, t.epoch, t.seq, t.from_state, t.to_state, t.reason, t.evidence, t.evidence_hash,
    t.decided_at, '{}', 'recon-streams', t.decided_at
FROM positions.breaker_transition AS t JOIN breaker.scope AS s USING (number);
DROP TABLE positions.breaker_transition;

-- `all` exists from the first day on, and lets everything pass until somebody stops it.
INSERT INTO breaker.scope (scope, kind, epoch, seq, state, reason, decided_at)
VALUES ('all', 'all', 1, 1, 'CLOSED', 'INSTALLED', date_trunc('milliseconds', clock_timestamp()));
INSERT INTO breaker.transition (scope, epoch, seq, to_state, reason, evidence, evidence_hash,
    decided_at, parents, actor)
SELECT 'all', 1, 1, 'CLOSED', 'INSTALLED', e.evidence, encode(sha256(e.evidence), 'hex'),
    decided_at, '{}', 'recon-streams'
FROM breaker.scope CROSS JOIN LATERAL (SELECT convert_to(
    '{"installed":' || to_json(decided_at AT TIME ZONE 'UTC') || '}', 'UTF8') AS evidence) AS e
WHERE scope = 'all';

-- What payout services read, said anew: of accounts because they have a parent from now on.
INSERT INTO book.outbox (topic, key, payload)
SELECT 'recon.breaker', convert_to(s.scope, 'UTF8'), convert_to(json_strip_nulls(json_build_object(
    'scope', s.scope, 'state', s.state, 'epoch', s.epoch, 'seq', s.seq, 'reason_code', s.reason,
    'evidence_hash', t.evidence_hash,
    'decided_at', to_char(s.decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'inputs_through', (
        SELECT coalesce(json_object_agg(
            (side.value ->> 'topic') || '/' || (side.value ->> 'partition'),
            (side.value ->> 'offset')::bigint), '{}')
        FROM json_each(convert_from(t.evidence, 'UTF8')::json -> 'position') AS side
        WHERE side.key IN ('bank_side', 'ledger_side') AND side.value ->> 'offset' IS NOT NULL),
    'parent_scopes', CASE WHEN s.number IS NOT NULL THEN to_json(s.parents) END
))::text, 'UTF8')
FROM breaker.scope AS s JOIN breaker.transition AS t USING (scope, epoch);
INSERT INTO book.outbox (topic, key, payload)
SELECT 'recon.breaker.events', 'all', convert_to(json_build_object(
    'scope', scope, 'from_state', to_state, 'to_state', to_state, 'epoch', epoch, 'seq', seq,
    'reason_code', reason, 'evidence_hash', evidence_hash,
    'evidence', convert_from(evidence, 'UTF8')::json,
    'decided_at', to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
)::text, 'UTF8')
FROM breaker.transition WHERE scope = 'all';

-- Who approves is somebody else than who asked, however the two are spelled.
CREATE FUNCTION breaker.are_two(maker text, checker text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT coalesce(m <> '' AND c <> '' AND m <> c, false) FROM (SELECT
        lower(regexp_replace(normalize(maker, NFKC), '[[:space:]\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g')),
        lower(regexp_replace(normalize(checker, NFKC), '[[:space:]\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g'))
    ) AS spelled (m, c)
$$;

-- The newest state of a scope changes here and nowhere else.
CREATE FUNCTION breaker.take_transition() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    known breaker.scope;
    loosens boolean;
BEGIN
    SELECT * INTO known FROM breaker.scope AS s WHERE s.scope = NEW.scope FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody knows the scope %', NEW.scope
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF NEW.epoch <> known.epoch + 1 OR NEW.seq < known.seq THEN
        RAISE EXCEPTION '%: epoch % (seq %) does not follow on % (seq %)',
            NEW.scope, NEW.epoch, NEW.seq, known.epoch, known.seq
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transition_epoch';
    END IF;
    IF NEW.from_state IS DISTINCT FROM known.state THEN
        RAISE EXCEPTION '%: it was %, not %', NEW.scope, known.state, NEW.from_state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transition_from_state';
    END IF;
    IF known.state IS NULL AND known.kind = 'account' AND NEW.to_state <> 'SUSPENDED' THEN
        RAISE EXCEPTION '%: an account begins without evidence, so SUSPENDED', NEW.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transition_birth';
    END IF;
    -- Only a suspension of an account heals by proof; everything else is let go by two people. An
    -- exercise stops nobody.
    loosens := known.kind <> 'drill' AND (
        NEW.reason IN ('RESET', 'OVERRIDE')
        OR (known.state = 'OPEN' AND NEW.to_state <> 'OPEN')
        OR (known.kind <> 'account' AND known.state = 'SUSPENDED' AND NEW.to_state = 'CLOSED'));
    IF loosens AND (NEW.approval_id IS NULL OR NOT breaker.are_two(NEW.maker, NEW.checker)
        OR btrim(NEW.words) = '') THEN
        RAISE EXCEPTION '%: it takes two people and a reason to leave %', NEW.scope, known.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transition_two_people';
    END IF;
    IF NEW.parents @> '{all}' <> (known.kind IN ('account', 'corridor')) THEN
        RAISE EXCEPTION '%: above accounts and corridors, and nothing else, stands all', NEW.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transition_parents';
    END IF;
    IF NEW.override_until > clock_timestamp() + interval '31 minutes' THEN
        RAISE EXCEPTION '%: nothing is forced for longer than 30 minutes', NEW.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transition_override';
    END IF;
    UPDATE breaker.scope AS s SET epoch = NEW.epoch, seq = NEW.seq, state = NEW.to_state,
        reason = NEW.reason, decided_at = NEW.decided_at, parents = NEW.parents,
        override_until = NEW.override_until
    WHERE s.scope = NEW.scope;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION breaker.take_transition FROM PUBLIC;
CREATE TRIGGER take_transition BEFORE INSERT ON breaker.transition
    FOR EACH ROW EXECUTE FUNCTION breaker.take_transition();

-- What is kept of a scope beside its transitions says the same epoch when all is committed: who
-- writes a transition and nothing else has not moved the scope.
CREATE FUNCTION breaker.check_fold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    newest breaker.scope;
    epoch  text;
BEGIN
    SELECT * INTO STRICT newest FROM breaker.scope AS s WHERE s.scope = NEW.scope;
    IF newest.epoch <> NEW.epoch OR (newest.number IS NULL AND newest.fold IS NULL) THEN
        RETURN NULL;
    END IF;
    IF newest.number IS NULL THEN
        epoch := convert_from(newest.fold, 'UTF8')::json ->> 'epoch';
    ELSE
        epoch := (SELECT convert_from(a.state, 'UTF8')::json #>> '{breaker,epoch}'
            FROM positions.account_state AS a WHERE a.number = newest.number);
    END IF;
    IF epoch::bigint IS DISTINCT FROM NEW.epoch THEN
        RAISE EXCEPTION '%: epoch % is recorded, and % is kept', NEW.scope, NEW.epoch, epoch
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transition_fold';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION breaker.check_fold FROM PUBLIC;
CREATE CONSTRAINT TRIGGER check_fold AFTER INSERT ON breaker.transition
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION breaker.check_fold();

-- A message that must not leave: nobody has decided it, or two people have not signed for it.
ALTER TABLE book.outbox ADD COLUMN withheld text;
GRANT UPDATE (withheld) ON book.outbox TO recon_app;

-- What happened cannot be rewritten by the program that recorded it.
GRANT SELECT ON ALL TABLES IN SCHEMA breaker TO recon_app;
GRANT INSERT ON breaker.transition TO recon_app;
GRANT INSERT (scope, kind, number, fold), UPDATE (fold) ON breaker.scope TO recon_app;
GRANT EXECUTE ON FUNCTION breaker.are_two TO recon_app;

-- A publisher that stands still keeps its connection, and with it the lock its heirs wait for. One
-- that works says something on it every second.
CREATE FUNCTION book.end_silent_holders(lock_id bigint, seconds integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT count(pg_terminate_backend(a.pid))::integer
    FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND (l.classid::bigint << 32) | l.objid::bigint = lock_id
        AND a.datname = current_database() AND a.usename = current_user
        AND a.pid <> pg_backend_pid() AND a.state = 'idle'
        AND a.state_change < clock_timestamp() - seconds * interval '1 second'
$$;
REVOKE ALL ON FUNCTION book.end_silent_holders FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.end_silent_holders TO recon_app;
