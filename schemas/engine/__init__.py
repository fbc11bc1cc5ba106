"""What the engine takes and gives: problems, policies, solutions, and what-ifs."""
