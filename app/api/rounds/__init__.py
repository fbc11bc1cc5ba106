"""Routes of rounds, and those that look at a round as a whole."""
