"""What is wrong, as something with a life of its own: found, owned, explained, proven gone."""
