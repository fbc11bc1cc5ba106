"""Routes of accounts, tokens, sign-ins, and what is kept of a person."""
