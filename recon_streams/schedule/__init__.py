"""What is due when: rows of the book, ticks in the log."""
