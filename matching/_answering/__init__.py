"""What callers ask: each module answers one question about a round."""
