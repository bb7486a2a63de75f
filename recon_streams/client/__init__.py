"""May I pay from this account now? What a payout service imports; nothing of the daemon is in it.

`recon_streams.client.guard.BreakerGuard` answers. The rest is what it is made of, in at most 300
lines of code, so that whoever must trust it can read it, or write it again in another language.
"""
