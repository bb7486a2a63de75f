CREATE SCHEMA matching;

GRANT USAGE ON SCHEMA matching TO recon_app;
