"""Pages of a pairing and of the card of a pair."""
