"""What is kept of persons: taken along, and erased in time."""
