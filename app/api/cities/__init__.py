"""Routes of cities, their contacts and files, and of places to find them by."""
