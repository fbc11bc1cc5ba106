"""How every request is served: sessions, tags, limits, refusals. It knows no noun."""
