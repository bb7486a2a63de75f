"""The numbers: data only."""
