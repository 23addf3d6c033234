"""Entry point: `python -m lab.plugins.kubernetes`, started by the engine."""

from __future__ import annotations

from lab.plugins.kubernetes.provider import KubernetesProvider
from lab.plugins.server import serve

if __name__ == "__main__":
    serve(KubernetesProvider())
