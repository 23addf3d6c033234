"""An exporter as its reader sees it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Target:
    """One exporter to read: what it is called (`node`, `haproxy`), on which machine, of which
    role, and its `ADDRESS:PORT` and path."""

    name: str
    machine: str
    role: str
    endpoint: str
    path: str
