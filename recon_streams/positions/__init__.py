"""Ledger versus bank: one position per account, its tiers, and the payments between their legs."""
