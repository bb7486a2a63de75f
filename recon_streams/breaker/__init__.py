"""May this account pay: the state machine, its evidence, and the lease behind every yes."""
