"""Letters as rows of the outbox; sending them is background work."""
