"""Who has heard: how far each payout service has followed the breaker, and who has not."""
