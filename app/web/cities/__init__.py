"""Pages of cities: a profile task by task, lists, comparison, files."""
