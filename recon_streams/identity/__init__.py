"""Who is this: persons and their keys, and the statements they sign."""
