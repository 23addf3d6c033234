"""A stack that runs, as a bug report wants it, without its secrets."""
