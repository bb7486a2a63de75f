"""The copy of the permits in Redis, for services that know nothing else; never authority."""
