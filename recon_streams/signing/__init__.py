"""Ed25519 signatures over what the breaker says, and the keys that readers pin."""
