"""How the guard of `recon_streams.client` reaches its log: one small file for each kind of log.

Only these two need a driver, and each only its own; what they find is judged in the client.
"""
