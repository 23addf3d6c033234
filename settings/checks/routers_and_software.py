"""What the routers let out, and where machines get packages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from settings.checks.networks_and_outbound import beyond
from settings.checks.registry import reads
from settings.models.software import AptRepository
from settings.models.stack import Stack
from settings.models.walk import walk
from settings.problems import Problem, problem

_PORTS = {"http": 80, "https": 443}


@reads("networks", "routers", "software")
def repositories_are_reached(stack: Stack) -> Iterator[Problem]:
    """A push that installs something would wait for apt's time to pass."""
    outbound = stack.routers.outbound
    if not outbound:
        return
    lacking: dict[int, list[str]] = {}
    for path, repository in walk(stack.software, AptRepository, "software"):
        for index, uri in enumerate(repository.uris):
            parts = urlsplit(uri)
            port = parts.port or _PORTS[parts.scheme]
            through, there = beyond(stack.networks, parts.hostname or "")
            if through and not any(each.lets("tcp", port, there) for each in outbound):
                told = f"{parts.hostname} ({path}.uris[{index}])"
                lacking.setdefault(port, []).append(told)
    for port, servers in lacking.items():
        yield problem(
            "routers.outbound",
            [each.name for each in outbound],
            f"let nothing out to {' and '.join(servers)} by TCP {port}, and machines install from "
            "there",
            f"add a rule with protocol: tcp and ports: [{port}]",
        )
