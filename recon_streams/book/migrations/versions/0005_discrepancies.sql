CREATE SCHEMA discrepancies;

GRANT USAGE ON SCHEMA discrepancies TO recon_app;
