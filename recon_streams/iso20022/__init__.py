"""Bank messages: camt.052, camt.053 and camt.054 of every version, as one set of values."""
