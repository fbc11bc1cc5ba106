"""JSON, in the rooms of the services; routes are thin, and no rule stands here."""
