"""Pages for people who write programs: tokens, webhooks, the API."""
