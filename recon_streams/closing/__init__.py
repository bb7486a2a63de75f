"""Tier 3: the day of an account, from the bank's cut-off to the signed-off figure."""
