"""Paying while the reconciliation is down: a paper of two people, named scopes, few hours."""
