"""The faults of the breaker share one installation, which ends with the last of them."""
