"""A stack that runs, on one page."""
