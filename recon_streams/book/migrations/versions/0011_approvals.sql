-- What takes two people: who asked for what, who agreed, and what was shown to both.
--
-- The program checks signatures; what can be checked without them is checked here again, so that a
-- program that forgets a rule, or a hand that writes beside it, does not get past.
CREATE SCHEMA approvals;
GRANT USAGE ON SCHEMA approvals TO recon_app;

-- Every version of the file of operators that was used, signed by the root key.
CREATE TABLE approvals.operators_file (
    version   bigint PRIMARY KEY CHECK (version > 0),
    root_kid  text NOT NULL,
    sha256    text NOT NULL,              -- of the list inside, in its one spelling
    content   bytea NOT NULL,             -- the file, with its signature
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What stands in it, read out of it by the database.
CREATE TABLE approvals.operator_key (
    version bigint NOT NULL REFERENCES approvals.operators_file,
    kid     text NOT NULL,
    subject text NOT NULL CHECK (subject ~ '^[a-z0-9][a-z0-9._@+-]{0,63}$'),
    roles   text[] NOT NULL,
    revoked boolean NOT NULL,
    PRIMARY KEY (version, kid)
);
CREATE INDEX operator_key_kid ON approvals.operator_key (kid);

CREATE TABLE approvals.request (
    request_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN (
        'BREAKER_RESET', 'BREAKER_OVERRIDE', 'RULES_LOOSENED', 'DAY_CLOSE', 'DAY_REOPEN')),
    subject      text NOT NULL,
    details      jsonb NOT NULL,
    facts        bytea NOT NULL,          -- exactly what both are shown
    facts_sha256 text NOT NULL,
    epoch        bigint,                  -- of the scope, where the subject is one
    reason       text NOT NULL,
    maker        text NOT NULL,
    maker_kid    text NOT NULL,
    nonce        text NOT NULL,
    statement    bytea NOT NULL,          -- what the maker signed
    signature    bytea NOT NULL CHECK (length(signature) = 64),
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    CHECK (facts_sha256 = encode(sha256(facts), 'hex')),
    CHECK ((epoch IS NOT NULL) = (kind IN ('BREAKER_RESET', 'BREAKER_OVERRIDE'))),
    -- Payouts do not go on again for a word.
    CHECK (length(btrim(reason)) >= CASE WHEN epoch IS NULL THEN 1 ELSE 20 END),
    CHECK (expires_at > requested_at AND expires_at <= requested_at + interval '15 minutes')
);
CREATE INDEX request_by_subject ON approvals.request (subject, request_id);

CREATE TABLE approvals.decision (
    request_id   bigint PRIMARY KEY REFERENCES approvals.request,
    decision     text NOT NULL CHECK (decision IN ('APPROVED', 'REFUSED')),
    facts_sha256 text NOT NULL,           -- of what was shown to the checker
    reason       text NOT NULL CHECK (btrim(reason) <> ''),
    checker      text NOT NULL,
    checker_kid  text NOT NULL,
    nonce        text NOT NULL,
    statement    bytea NOT NULL,
    signature    bytea NOT NULL CHECK (length(signature) = 64),
    decided_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- What was agreed to is done in the transaction that records it, or never.
    decided_in   xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE TABLE approvals.voiding (
    request_id bigint PRIMARY KEY REFERENCES approvals.request,
    cause      text NOT NULL CHECK (cause IN (
        'FACTS_CHANGED', 'EPOCH_CHANGED', 'EXPIRED')),
    words      text NOT NULL,
    voided_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is asked for and too large for a statement, by its hash.
CREATE TABLE approvals.document (
    sha256  text PRIMARY KEY,
    content bytea NOT NULL,
    CHECK (sha256 = encode(sha256(content), 'hex'))
);

-- Written by the triggers below alone. One end for each request, however many try at a time.
CREATE TABLE approvals.ending (request_id bigint PRIMARY KEY REFERENCES approvals.request);
CREATE TABLE approvals.nonce (nonce text PRIMARY KEY CHECK (length(nonce) >= 32));
CREATE TABLE approvals.used (request_id bigint PRIMARY KEY REFERENCES approvals.request);

CREATE FUNCTION approvals.folded(subject text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT lower(regexp_replace(normalize(subject, NFKC), '\s', '', 'g'))
$$;

CREATE FUNCTION approvals.refuse(what text, words text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '%', words USING ERRCODE = 'check_violation', CONSTRAINT = what;
END
$$;

-- Whether `kid` is a key of `subject` that counts by the newest file, and the person has the roles.
CREATE FUNCTION approvals.holds(subject text, kid text, roles text[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM approvals.operator_key AS k
        WHERE k.version = (SELECT max(version) FROM approvals.operators_file)
            AND k.subject = holds.subject AND k.kid = holds.kid
            AND NOT k.revoked AND k.roles @> holds.roles
    )
$$;

CREATE FUNCTION approvals.roles_for(kind text, role text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT CASE kind WHEN 'BREAKER_OVERRIDE' THEN ARRAY[role, 'breakglass'] ELSE ARRAY[role] END
$$;

CREATE FUNCTION approvals.take_operators() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    listed jsonb := convert_from(NEW.content, 'UTF8')::jsonb -> 'signed';
    newest bigint := (SELECT max(version) FROM approvals.operators_file);
    root   text := (SELECT root_kid FROM approvals.operators_file ORDER BY version LIMIT 1);
BEGIN
    IF NEW.version <= newest THEN
        PERFORM approvals.refuse('older_version', format(
            'version %s of the operators is not newer than %s', NEW.version, newest));
    END IF;
    IF NEW.root_kid <> root THEN
        PERFORM approvals.refuse('unknown_root', 'the operators of this book have another root');
    END IF;
    IF (listed ->> 'version')::bigint IS DISTINCT FROM NEW.version
        OR listed ->> 'root_kid' IS DISTINCT FROM NEW.root_kid THEN
        PERFORM approvals.refuse('other_content', 'the file says another version or root');
    END IF;
    NEW.loaded_at := clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER take_operators BEFORE INSERT ON approvals.operators_file
    FOR EACH ROW EXECUTE FUNCTION approvals.take_operators();

CREATE FUNCTION approvals.read_operators() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO approvals.operator_key (version, kid, subject, roles, revoked)
    SELECT NEW.version, held -> 'key' ->> 'kid', person ->> 'subject',
        ARRAY(SELECT jsonb_array_elements_text(person -> 'roles')), (held ->> 'revoked')::boolean
    FROM jsonb_array_elements(convert_from(NEW.content, 'UTF8')::jsonb -> 'signed' -> 'operators')
            AS person,
        jsonb_array_elements(person -> 'keys') AS held;
    -- A key that was once somebody's never becomes somebody else's.
    IF EXISTS (
        SELECT FROM approvals.operator_key AS k JOIN approvals.operator_key AS other USING (kid)
        WHERE k.version = NEW.version
            AND approvals.folded(other.subject) <> approvals.folded(k.subject)
    ) THEN
        PERFORM approvals.refuse('key_of_two', 'a key belongs to two people');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER read_operators AFTER INSERT ON approvals.operators_file
    FOR EACH ROW EXECUTE FUNCTION approvals.read_operators();

CREATE FUNCTION approvals.take_request() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    said jsonb := convert_from(NEW.statement, 'UTF8')::jsonb;
BEGIN
    NEW.requested_at := clock_timestamp();
    IF NOT approvals.holds(NEW.maker, NEW.maker_kid, approvals.roles_for(NEW.kind, 'maker')) THEN
        PERFORM approvals.refuse('unknown_maker', format(
            '%s has no such key, or not the role to ask for it', NEW.maker));
    END IF;
    IF (said ->> 'deed', said ->> 'kind', said ->> 'subject', said -> 'details',
            said ->> 'facts_sha256', (said ->> 'epoch')::bigint, said ->> 'reason',
            said ->> 'signer', said ->> 'nonce')
        IS DISTINCT FROM ('REQUEST', NEW.kind, NEW.subject, NEW.details,
            NEW.facts_sha256, NEW.epoch, NEW.reason, NEW.maker, NEW.nonce) THEN
        PERFORM approvals.refuse('other_statement', 'the maker signed something else');
    END IF;
    INSERT INTO approvals.nonce VALUES (NEW.nonce);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_request BEFORE INSERT ON approvals.request
    FOR EACH ROW EXECUTE FUNCTION approvals.take_request();

CREATE FUNCTION approvals.take_decision() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    asked approvals.request;
    said  jsonb := convert_from(NEW.statement, 'UTF8')::jsonb;
BEGIN
    SELECT * INTO STRICT asked FROM approvals.request WHERE request_id = NEW.request_id FOR UPDATE;
    NEW.decided_at := clock_timestamp();
    NEW.decided_in := pg_current_xact_id();
    IF approvals.folded(NEW.checker) = approvals.folded(asked.maker) THEN
        PERFORM approvals.refuse('same_person', 'whoever asked cannot decide');
    END IF;
    IF NOT approvals.holds(
            NEW.checker, NEW.checker_kid, approvals.roles_for(asked.kind, 'checker'))
        OR NOT approvals.holds(
            asked.maker, asked.maker_kid, approvals.roles_for(asked.kind, 'maker')) THEN
        PERFORM approvals.refuse('unknown_person', 'one of the two has no such key or role now');
    END IF;
    IF NEW.decided_at >= asked.expires_at THEN
        PERFORM approvals.refuse('expired', 'the request has expired');
    END IF;
    IF NEW.facts_sha256 <> asked.facts_sha256 THEN
        PERFORM approvals.refuse('other_facts', 'the two were shown different facts');
    END IF;
    IF asked.epoch IS NOT NULL THEN
        PERFORM FROM breaker.transition WHERE scope = asked.subject AND epoch > asked.epoch;
        IF FOUND THEN
            PERFORM approvals.refuse('epoch_changed', 'the scope has changed since it was asked');
        END IF;
    END IF;
    IF (said ->> 'deed', said ->> 'kind', said ->> 'subject', said ->> 'facts_sha256',
            (said ->> 'request_id')::bigint, said ->> 'request_nonce', said ->> 'reason',
            said ->> 'signer', said ->> 'nonce')
        IS DISTINCT FROM (CASE NEW.decision WHEN 'APPROVED' THEN 'APPROVE' ELSE 'REFUSE' END,
            asked.kind, asked.subject, NEW.facts_sha256, NEW.request_id, asked.nonce, NEW.reason,
            NEW.checker, NEW.nonce) THEN
        PERFORM approvals.refuse('other_statement', 'the checker signed something else');
    END IF;
    INSERT INTO approvals.nonce VALUES (NEW.nonce);
    INSERT INTO approvals.ending VALUES (NEW.request_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_decision BEFORE INSERT ON approvals.decision
    FOR EACH ROW EXECUTE FUNCTION approvals.take_decision();

CREATE FUNCTION approvals.take_voiding() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    NEW.voided_at := clock_timestamp();
    IF NEW.cause = 'EXPIRED' AND NEW.voided_at < (
        SELECT expires_at FROM approvals.request WHERE request_id = NEW.request_id
    ) THEN
        PERFORM approvals.refuse('not_expired', 'the request has not expired');
    END IF;
    INSERT INTO approvals.ending VALUES (NEW.request_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER take_voiding BEFORE INSERT ON approvals.voiding
    FOR EACH ROW EXECUTE FUNCTION approvals.take_voiding();

-- Nobody but the owner of the schema may lock what nobody may change.
CREATE FUNCTION approvals.lock_request(wanted bigint) RETURNS SETOF approvals.request
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT * FROM approvals.request WHERE request_id = wanted FOR UPDATE
$$;

-- Refuses what is done without the agreement it names, given in this very transaction.
CREATE FUNCTION approvals.require_agreed(
    named bigint, kinds text[], maker_named text, checker_named text
) RETURNS approvals.request
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    asked approvals.request;
BEGIN
    SELECT r.* INTO asked FROM approvals.request AS r JOIN approvals.decision AS d USING (request_id)
    WHERE r.request_id = named AND r.kind = ANY(kinds) AND d.decision = 'APPROVED'
        AND d.decided_in = pg_current_xact_id() AND r.expires_at > clock_timestamp()
        AND r.maker = maker_named AND d.checker = checker_named;
    IF asked.request_id IS NULL THEN
        PERFORM approvals.refuse('not_agreed', 'two people have not agreed to this');
    END IF;
    RETURN asked;
END
$$;

CREATE FUNCTION approvals.guard_transition() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    asked  approvals.request;
    before text := (
        SELECT to_state FROM breaker.transition
        WHERE scope = NEW.scope AND epoch < NEW.epoch ORDER BY epoch DESC LIMIT 1);
BEGIN
    -- What is said of the state before is not believed alone. No payout hangs on a drill.
    IF NEW.scope LIKE 'drill:%' OR NEW.approval_id IS NULL AND NEW.override_until IS NULL
        AND NEW.reason NOT IN ('RESET', 'OVERRIDE') AND (NEW.to_state = 'OPEN'
            OR (NEW.from_state IS DISTINCT FROM 'OPEN' AND before IS DISTINCT FROM 'OPEN')) THEN
        RETURN NEW;
    END IF;
    asked := approvals.require_agreed(
        NEW.approval_id,
        ARRAY[CASE WHEN NEW.override_until IS NULL THEN 'BREAKER_RESET' ELSE 'BREAKER_OVERRIDE' END],
        NEW.maker, NEW.checker);
    IF asked.subject <> NEW.scope OR asked.epoch <> NEW.epoch - 1 THEN
        PERFORM approvals.refuse('not_agreed', 'what was agreed to is another scope or epoch');
    END IF;
    INSERT INTO approvals.used VALUES (asked.request_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER two_people BEFORE INSERT ON breaker.transition
    FOR EACH ROW EXECUTE FUNCTION approvals.guard_transition();
ALTER TABLE breaker.transition
    ADD CONSTRAINT transition_approval FOREIGN KEY (approval_id) REFERENCES approvals.request;

ALTER TABLE closing.day_action ADD COLUMN approval_id bigint REFERENCES approvals.request;
CREATE FUNCTION approvals.guard_day() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM approvals.require_agreed(
        NEW.approval_id, ARRAY['DAY_' || NEW.action], NEW.actor, NEW.approved_by);
    RETURN NEW;
END
$$;
CREATE TRIGGER two_people BEFORE INSERT ON closing.day_action
    FOR EACH ROW WHEN (NEW.approval_id IS NOT NULL OR NEW.approved_by IS NOT NULL)
    EXECUTE FUNCTION approvals.guard_day();

ALTER TABLE positions.registry_version ADD COLUMN approval_id bigint REFERENCES approvals.request;
ALTER TABLE positions.registry_version ADD COLUMN approved_by text;
CREATE FUNCTION approvals.guard_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM approvals.require_agreed(
        NEW.approval_id, ARRAY['RULES_LOOSENED'], NEW.actor, NEW.approved_by);
    RETURN NEW;
END
$$;
CREATE TRIGGER two_people BEFORE INSERT ON positions.registry_version
    FOR EACH ROW WHEN (NEW.approval_id IS NOT NULL OR NEW.approved_by IS NOT NULL)
    EXECUTE FUNCTION approvals.guard_rules();

REVOKE ALL ON FUNCTION approvals.require_agreed, approvals.lock_request FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approvals.lock_request TO recon_app;
GRANT SELECT ON ALL TABLES IN SCHEMA approvals TO recon_app;
GRANT INSERT ON approvals.operators_file, approvals.request, approvals.decision, approvals.voiding,
    approvals.document TO recon_app;
