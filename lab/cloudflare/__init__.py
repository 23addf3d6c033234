"""A small Cloudflare: the parts of its v4 API that the program's cdn layer calls.

Paths, answers and errors have the shapes of https://developers.cloudflare.com/api; what they
change is kept in one JSON file. `python -m lab.cloudflare --help` starts it.
"""
