-- What on-call is told: one alert for each cause, and where it was delivered.
CREATE SCHEMA alerts;
GRANT USAGE ON SCHEMA alerts TO recon_app;
