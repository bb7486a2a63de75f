CREATE SCHEMA reports;

GRANT USAGE ON SCHEMA reports TO recon_app;
