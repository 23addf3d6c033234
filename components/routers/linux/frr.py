"""FRRouting: the routes that a router learns and announces by BGP, with BFD. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.part import Part, Text
from components.host.speakers import frr as shared
from components.host.text import environment
from components.routers.linux import bgp, firewall
from components.routers.model import Router, RoutersModel

CONFIG, DAEMONS, UNIT = shared.CONFIG, shared.DAEMONS, shared.UNIT
DRAIN = "/etc/frr/layered-drain"

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
            asn=peering.asn,
            drain=DRAIN,
            firewall=firewall.UNIT,
            bfd=peering.with_bfd,
        )

    return shared.part(
        text("frr.conf"),
        bfd=peering.with_bfd,
        always=router.distribution.frr_always,
        drop_in=text("frr.dropin"),
        secrets=tuple(f"bgp-{each}" for each in peering.secrets),
        beside=(
            Text(path=DRAIN, content=text("drain.sh"), mode="0755"),
            bgp.kernel(router),
        ),
        steps=(bgp.STEP,),
        ports=bgp.ports(peering),
    )
