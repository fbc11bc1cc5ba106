"""Rounds, their policies and ledger, and problems built from their rows."""
