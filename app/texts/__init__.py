"""What the engine answers, in sentences for people who read in a hurry."""
