"""Other systems that are asked over a network."""
