"""The thinking: one folder per capability; pure modules decide, `store.py` files speak SQL."""
