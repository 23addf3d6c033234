"""FRRouting: the routes that a router learns and announces by BGP, with BFD. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components.host import sysctls
from components.host.bgp import BFD_PORT, PORT, Neighbours, Peering
from components.host.packages import package
from components.host.part import Check, Health, OpenPort, Part, Service, Text
from components.host.text import environment
from components.routers.linux import firewall
from components.routers.model import Router, RoutersModel

CONFIG = "/etc/frr/frr.conf"
DAEMONS = "/etc/frr/daemons"
DRAIN = "/etc/frr/layered-drain"
UNIT = "frr.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/layered.conf"
SYSCTL = "/etc/sysctl.d/91-layered-bgp.conf"
CHECK = ("/usr/bin/vtysh", "-C", "-f", CONFIG)
HEALTH = ("/usr/bin/vtysh", "-c", "show bgp ipv4 unicast summary")

_TEMPLATES = environment(Path(__file__).parent / "templates" / "frr")


def part(model: RoutersModel, router: Router) -> Part | None:
    """frr.conf (FRR user guide): BGP with every neighbour of the router; None without BGP.

    Secrets: `bgp-NAME`, the password of the sessions called NAME (`Peering.secrets`).
    """
    peering = model.peering
    if peering is None:
        return None

    def text(template: str) -> str:
        return _TEMPLATES.get_template(f"{template}.j2").render(
            router=router,
            peering=peering,
            bfd=any(each.bfd for each in peering.neighbours),
            asn=peering.asn,
            port=PORT,
            drain=DRAIN,
            firewall=firewall.UNIT,
        )

    return Part(
        name="frr",
        packages=(package("frr"), package("frr-pythontools")),
        files=(
            Text(
                path=CONFIG,
                content=text("frr.conf"),
                mode="0640",
                owner="frr:frr",
                secrets=tuple(f"bgp-{each}" for each in peering.secrets),
            ),
            Text(path=DAEMONS, content=text("daemons")),
            Text(path=DROP_IN, content=text("frr.dropin")),
            Text(path=DRAIN, content=text("drain.sh"), mode="0755"),
            Text(path=SYSCTL, content=text("sysctl.conf")),
        ),
        checks=(Check(name="frr", argv=CHECK, watches=(CONFIG,)),),
        steps=(sysctls.step(SYSCTL, "apply sysctls of BGP"),),
        services=(
            Service(
                name=UNIT,
                on_change="reload",
                watches=(CONFIG, DAEMONS),
                health=Health(argv=HEALTH),
            ),
        ),
        ports=tuple(_ports(peering)),
    )


def _ports(peering: Peering) -> Iterator[OpenPort]:
    for group in peering.neighbours:
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
