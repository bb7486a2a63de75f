"""What people do to breakers, with what they are shown: the state machine is in `breaker`, pure."""
