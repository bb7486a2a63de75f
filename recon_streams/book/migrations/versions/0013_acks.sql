-- Who has heard: the payout services, and how far each has followed the breaker.
CREATE SCHEMA acks;
GRANT USAGE ON SCHEMA acks TO recon_app;
