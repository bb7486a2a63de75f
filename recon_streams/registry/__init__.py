"""The account registry: which bank account stands behind which ledger account, and its numbers."""
