"""What the bank's statements must satisfy: the equation, the chain, the pages, the due day."""
