"""Pages on which a round is run, from its rules to its report."""
