"""The PostgreSQL that `recon-streams up` starts by itself: found or carried, supervised by us."""
