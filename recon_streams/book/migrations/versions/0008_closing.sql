CREATE SCHEMA closing;

GRANT USAGE ON SCHEMA closing TO recon_app;
