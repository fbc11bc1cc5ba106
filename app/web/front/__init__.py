"""The front page, its example, and the ways to sign in."""
