"""What a router needs for BGP, whichever daemon speaks it: ports and kernel settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from components.host import sysctls
from components.host.bgp import BFD_PORT, PORT, Neighbours, Peering
from components.host.part import OpenPort, Step, Text
from components.host.text import environment
from components.routers.model import Router

SYSCTL = "/etc/sysctl.d/91-layered-bgp.conf"
STEP: Final[Step] = sysctls.step(SYSCTL, "apply sysctls of BGP")

_TEMPLATES = environment(Path(__file__).parent / "templates" / "bgp")


def kernel(router: Router) -> Text:
    """sysctl.d(5): several ways to one destination."""
    text = _TEMPLATES.get_template("sysctl.conf.j2").render(router=router)
    return Text(path=SYSCTL, content=text)


def ports(peering: Peering) -> tuple[OpenPort, ...]:
    """What the daemon listens on, for its neighbours alone."""
    return tuple(port for each in peering.neighbours for port in _ports(each))


def _ports(group: Neighbours) -> Iterator[OpenPort]:
    yield _port(group, "tcp", PORT, f"BGP of {group.name}")
    if group.bfd:
        yield _port(group, "udp", BFD_PORT, f"BFD of {group.name}")


def _port(group: Neighbours, protocol: str, number: int, purpose: str) -> OpenPort:
    return OpenPort(
        protocol=protocol,
        number=number,
        network=group.network,
        sources="named",
        addresses=tuple(each.address for each in group.members),
        purpose=purpose,
    )
