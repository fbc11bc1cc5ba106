"""Routes of staging, release, and what becomes of pairings."""
