"""Entry point: `python -m lab.plugins.proxmoxve`, started by the engine."""

from __future__ import annotations

from lab.plugins.proxmoxve.provider import ProxmoxProvider
from lab.plugins.server import serve

if __name__ == "__main__":
    serve(ProxmoxProvider())
