"""How requests are served: sessions, tags, limits, refusals. Nouns are in `deps`."""
