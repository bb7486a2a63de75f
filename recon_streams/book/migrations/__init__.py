"""How the book's tables came to be, in order; raw SQL, one file per step."""
