"""The documentation held against the program: `python -m tests.documented`, part of `make lint`."""
