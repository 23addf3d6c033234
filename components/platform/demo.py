"""The demonstration behind the ingress: pods that say where they run."""

from __future__ import annotations

from components.platform.addon import Addon, Site
from components.platform.entrance import Entrance, ingress
from components.platform.ingress import CONTROLLERS
from components.platform.workload import PORT_NAME, Workload, address, pods
from settings.models import Demo

NAME = "echo"
PORT = 8080
NOBODY = 65534
"""The user that it runs as."""


def addon(site: Site) -> Addon | None:
    """The demonstration, when the stack wants it: a service like any other, but for the choice of
    one pod a node."""
    demo = site.settings.demo
    if demo is None or not demo.enabled:
        return None
    workload = Workload(
        name=NAME,
        image=demo.image,
        port=PORT,
        replicas=None if demo.every_node else demo.replicas,
        user=NOBODY,
        cpu=10,
        memory=16,
        health_path="/healthz",
    )
    return Addon(
        name=NAME,
        namespace=NAME,
        pod_security="restricted",
        objects={
            f"{NAME}-pods": pods(workload),
            f"{NAME}-service": address(workload),
            f"{NAME}-ingress": ingress(entrance(demo), CONTROLLERS[site.settings.ingress.kind]),
        },
    )


def entrance(demo: Demo) -> Entrance:
    """All of its one name."""
    return Entrance(
        name=NAME,
        namespace=NAME,
        hosts=[demo.host],
        path="/",
        service=NAME,
        port=PORT_NAME,
        issuer=demo.issuer,
    )
