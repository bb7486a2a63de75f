"""A scripted day over real bank messages, played against a real installation."""
