"""How banks are asked: one port, its adapters, and the poller that asks through them."""
