-- The breaker of every scope: accounts, corridors, everything, and drills.
CREATE SCHEMA breaker;
GRANT USAGE ON SCHEMA breaker TO recon_app;
