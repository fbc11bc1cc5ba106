"""Pages of accounts, and of privacy."""
