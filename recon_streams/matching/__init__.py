"""Which bank entry is which ledger movement, and for the rest why not."""
