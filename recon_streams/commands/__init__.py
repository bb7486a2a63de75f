"""What other systems ask for: only what makes payouts safer, and each command once."""
