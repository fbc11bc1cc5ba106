"""The audit log, and what it announces to webhooks."""
