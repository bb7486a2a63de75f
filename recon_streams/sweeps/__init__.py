"""Tier 2: each account looked at every half hour, like as-of against like."""
