"""What a connection of `remote:Command` is when nothing is said, as pulumi-command 1.2.1 has it."""

from __future__ import annotations

DIAL_ERROR_LIMIT = 10
PER_DIAL_TIMEOUT = 15
"""Seconds."""
DEFAULTS = {
    "user": "root",
    "port": 22,
    "dialErrorLimit": DIAL_ERROR_LIMIT,
    "perDialTimeout": PER_DIAL_TIMEOUT,
}
