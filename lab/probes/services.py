"""Public services seen from outside: every name of each answers through the whole chain."""

from __future__ import annotations

from typing import Any

from lab.probes.edge import authority, public_doors
from lab.probes.result import promise
from lab.probes.world import World
from settings.models import PublicService

ASKS_WHO = 401
"""A service may ask for a login: then it is there."""


def answering(world: World) -> str:
    """By HTTP and HTTPS, at the path that is its own."""
    asked = 0
    for service in world.stack.services:
        for host in service.hosts:
            for tls in (False, True):
                _answers(world, service, host, tls=tls)
                asked += 1
    return f"{asked} answers of {len(world.stack.services)} services"


def _answers(world: World, service: PublicService, host: str, *, tls: bool) -> None:
    spec: dict[str, Any] = {
        "address": public_doors(world)[0],
        "port": 443 if tls else 80,
        "tls": tls,
        "host": host,
        "path": service.path,
        "ca": authority(world, tls),
    }
    answer = world.ask("client", "get", spec)[0]
    what = f"{service.name} at {'https' if tls else 'http'}://{host}{service.path}"
    status = answer["status"]
    good = 200 <= status < 400 or status == ASKS_WHO
    promise(good, f"{what}: {status}: {answer['error'] or answer['json']}")
    # The lab's own image says who it is, and its pods are called after their Service; of others an
    # answer is all there is to see.
    pod = answer["json"].get("pod") if isinstance(answer["json"], dict) else None
    if pod:
        promise(pod.startswith(f"{service.behind[0]}-"), f"{what}: the pod {pod} answered")
