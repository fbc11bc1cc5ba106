"""Pictures made of values, each with the table that says the same."""
