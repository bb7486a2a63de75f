"""When things are due: rows in the book, and the ticks they become."""
