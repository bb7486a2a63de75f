"""The small process that carries the outbox to the log and keeps, or lets lapse, the lease."""
