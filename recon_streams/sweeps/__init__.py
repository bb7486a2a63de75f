"""Tier 2: every account looked at again and again, beside the bank's own answer, for drift."""
