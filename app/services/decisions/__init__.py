"""What organisers decide: participants, staging, overrides, repairs, release."""
