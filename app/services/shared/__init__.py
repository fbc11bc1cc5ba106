"""What several rooms need: pages of lists, versions, names, erasing persons."""
