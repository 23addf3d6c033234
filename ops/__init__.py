"""Commands for any stack that runs: they read and report, and change nothing."""
