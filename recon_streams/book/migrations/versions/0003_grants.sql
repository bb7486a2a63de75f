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

GRANT USAGE ON SCHEMA book, positions, log TO recon_app;
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
