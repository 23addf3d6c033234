"""BIRD: the routes that a router learns and announces by BGP, with BFD. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.bgp import PORT
from components.host.part import Part, Text
from components.host.speakers import bird as shared
from components.host.text import environment
from components.routers.linux import bgp, firewall
from components.routers.model import Router, RoutersModel

CONFIG, UNIT = shared.CONFIG, shared.UNIT
SESSIONS = "/etc/bird/layered-bgp.conf"
DRAINED = "/etc/bird/layered-drained.conf"
DRAIN = "/etc/bird/layered-drain"
CHECKS = {"bird": CONFIG, "bird when drained": DRAINED}

_TEMPLATES = environment(Path(__file__).parent / "templates" / "bird")


def part(model: RoutersModel, router: Router) -> Part | None:
    """bird.conf (BIRD user's guide): BGP with every neighbour of the router; None without BGP or
    with another daemon.

    The sessions stand in a file of their own, under one of two others that say whether neighbours
    are asked to prefer other ways: the daemon is told the second one before it stops. Secrets:
    `bgp-NAME`, the password of the sessions called NAME (`Peering.secrets`).
    """
    peering = model.peering
    if peering is None or peering.daemon != "bird":
        return None

    def text(template: str, *, drained: bool = False) -> str:
        return _TEMPLATES.get_template(f"{template}.j2").render(
            router=router,
            peering=peering,
            drained=drained,
            sessions=SESSIONS,
            drained_config=DRAINED,
            port=PORT,
            drain=DRAIN,
            firewall=firewall.UNIT,
        )

    return shared.part(
        (
            Text(path=CONFIG, content=text("bird.conf", drained=router.name in peering.drained)),
            Text(path=DRAINED, content=text("bird.conf", drained=True)),
            shared.sealed(
                SESSIONS,
                text("layered-bgp.conf"),
                [f"bgp-{each}" for each in peering.secrets],
            ),
        ),
        drop_in=text("bird.dropin"),
        judged=CHECKS,
        watches=(CONFIG, SESSIONS),
        beside=(
            Text(path=DRAIN, content=text("drain.sh"), mode="0755"),
            bgp.kernel(router),
        ),
        steps=(bgp.STEP,),
        ports=bgp.ports(peering),
    )
