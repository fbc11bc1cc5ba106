"""Who may come in: accounts, sessions, tokens, and how callers are counted."""
