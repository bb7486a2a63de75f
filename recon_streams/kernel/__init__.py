"""The words everybody shares: money, currencies, identifiers, refusals."""
