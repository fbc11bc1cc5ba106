"""Who is paired with whom, given numbers: the solvers, which know of no cities."""
