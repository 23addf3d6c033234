"""What runs on the machines; the standard library alone."""
