"""The record of every scope of the breaker: its newest state, and all its transitions."""
