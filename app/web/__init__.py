"""Pages over the same services; they work without JavaScript."""
