"""Sentences about pairs, policies, and who is left out."""
