"""What people read, in their language: catalogues, letters, refusals."""
