"""One pair of files per step: what it is called, and its SQL."""
