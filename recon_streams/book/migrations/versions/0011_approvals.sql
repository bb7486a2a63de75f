-- What takes two people: who asked for what, who agreed, and what was shown to both.
CREATE SCHEMA approvals;
GRANT USAGE ON SCHEMA approvals TO recon_app;
