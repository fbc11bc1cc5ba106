"""Personal data: exporting them, and erasing them in time."""
