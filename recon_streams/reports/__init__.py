"""One frozen dataset with a hash, rendered several ways."""
