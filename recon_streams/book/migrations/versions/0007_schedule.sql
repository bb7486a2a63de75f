CREATE SCHEMA schedule;

GRANT USAGE ON SCHEMA schedule TO recon_app;
