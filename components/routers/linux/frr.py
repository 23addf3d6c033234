"""FRRouting: the routes that a router learns and announces by BGP, with BFD. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.bgp import PORT
from components.host.packages import package
from components.host.part import Check, Health, Part, Service, Text
from components.host.text import environment
from components.routers.linux import bgp, firewall
from components.routers.model import Router, RoutersModel

CONFIG = "/etc/frr/frr.conf"
DAEMONS = "/etc/frr/daemons"
DRAIN = "/etc/frr/layered-drain"
UNIT = "frr.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/layered.conf"
CHECK = ("/usr/bin/vtysh", "-C", "-f", CONFIG)
HEALTH = ("/usr/bin/vtysh", "-c", "show bgp ipv4 unicast summary")

_TEMPLATES = environment(Path(__file__).parent / "templates" / "frr")


def part(model: RoutersModel, router: Router) -> Part | None:
    """frr.conf (FRR user guide): BGP with every neighbour of the router; None without BGP or
    with another daemon.

    Secrets: `bgp-NAME`, the password of the sessions called NAME (`Peering.secrets`).
    """
    peering = model.peering
    if peering is None or peering.daemon != "frr":
        return None

    def text(template: str) -> str:
        return _TEMPLATES.get_template(f"{template}.j2").render(
            router=router,
            peering=peering,
            bfd=peering.with_bfd,
            asn=peering.asn,
            port=PORT,
            drain=DRAIN,
            firewall=firewall.UNIT,
            always=router.distribution.frr_always,
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
            bgp.kernel(router),
        ),
        checks=(Check(name="frr", argv=CHECK, watches=(CONFIG,)),),
        steps=(bgp.STEP,),
        services=(
            Service(
                name=UNIT,
                on_change="reload",
                watches=(CONFIG, DAEMONS),
                health=Health(argv=HEALTH),
            ),
        ),
        ports=bgp.ports(peering),
    )
