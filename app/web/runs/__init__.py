"""Pages of what was proposed, and of what else could be."""
