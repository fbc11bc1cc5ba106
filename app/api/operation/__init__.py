"""Routes for those who run the service: health, version, metrics."""
