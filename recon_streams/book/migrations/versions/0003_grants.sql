-- What the application's role may do. What happened cannot be rewritten by the program that recorded
-- it: no UPDATE and no DELETE on evidence, logs and transitions.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'recon_app') THEN
        CREATE ROLE recon_app NOLOGIN;
    END IF;
    EXECUTE format('GRANT recon_app TO %I', current_user);
END
$$;

-- Only sessions of the owner's own login, and only those that hold a transaction open while the
-- server waits for their client.
CREATE FUNCTION book.end_stuck_sessions(seconds integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT count(pg_terminate_backend(pid))::integer FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
        AND application_name = 'recon-streams' AND pid <> pg_backend_pid()
        AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
        AND state_change < clock_timestamp() - seconds * interval '1 second'
$$;
REVOKE ALL ON FUNCTION book.end_stuck_sessions FROM PUBLIC;

GRANT USAGE ON SCHEMA book, positions, log TO recon_app;
GRANT EXECUTE ON FUNCTION book.end_stuck_sessions TO recon_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA book, positions TO recon_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO recon_app;
GRANT UPDATE (next_offset, through_at) ON book.stream TO recon_app;
GRANT UPDATE (disposition, duplicate_of, decided_at) ON book.input TO recon_app;
GRANT UPDATE (published_at, published_part, published_off) ON book.outbox TO recon_app;
GRANT UPDATE ON book.publisher, book.log_identity TO recon_app;
GRANT UPDATE ON positions.account_state, positions.bank_leg TO recon_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA log TO recon_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA log TO recon_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA book, positions, log TO recon_app;
