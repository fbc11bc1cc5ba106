"""Routes of runs, of what the engine is asked, and of `POST /match`."""
