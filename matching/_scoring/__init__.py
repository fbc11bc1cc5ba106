"""How well a mentor fits a learner: cities as arrays, criteria, scores, facts."""
