CREATE SCHEMA reports;

-- Every report that was made, as the bytes it was made of. Nothing here is ever changed: later facts
-- make another version, which names the hash of the one it corrects. The database itself holds the
-- hash to the bytes.
CREATE TABLE reports.report (
    report_id    text PRIMARY KEY,
    series       text NOT NULL,          -- what all versions of it share
    kind         text NOT NULL CHECK (kind IN ('eod', 'intraday')),
    day          date NOT NULL,          -- of a window, the UTC day on which it begins
    window_from  timestamptz,
    window_until timestamptz,
    scope        text NOT NULL,
    version      integer NOT NULL CHECK (version > 0),
    sha256       text NOT NULL UNIQUE,
    corrects     text REFERENCES reports.report (sha256),
    record       bytea NOT NULL,         -- as told on recon.reports, less the dataset
    dataset      bytea NOT NULL,
    stored_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (series, version),
    CHECK (sha256 = encode(sha256(dataset), 'hex')),
    CHECK ((version > 1) = (corrects IS NOT NULL)),
    CHECK ((kind = 'intraday') = (window_from IS NOT NULL AND window_until IS NOT NULL))
);
CREATE INDEX report_day ON reports.report (day, kind);

GRANT USAGE ON SCHEMA reports TO recon_app;
GRANT SELECT, INSERT ON reports.report TO recon_app;
