"""BIRD 2: the routes that a router learns and announces by BGP, with BFD. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.bgp import PORT
from components.host.packages import package
from components.host.part import Check, Health, Part, Service, Text
from components.host.text import environment
from components.routers.linux import bgp, firewall
from components.routers.model import Router, RoutersModel

CONFIG = "/etc/bird/bird.conf"
SESSIONS = "/etc/bird/layered-bgp.conf"
DRAINED = "/etc/bird/layered-drained.conf"
DRAIN = "/etc/bird/layered-drain"
UNIT = "bird.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/layered.conf"
CHECKS = {"bird": CONFIG, "bird when drained": DRAINED}
HEALTH = ("/usr/sbin/birdc", "show", "status")

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

    return Part(
        name="bird",
        packages=(package("bird"),),
        files=(
            Text(path=CONFIG, content=text("bird.conf", drained=router.name in peering.drained)),
            Text(path=DRAINED, content=text("bird.conf", drained=True)),
            Text(
                path=SESSIONS,
                content=text("layered-bgp.conf"),
                mode="0640",
                owner="root:bird",
                secrets=tuple(f"bgp-{each}" for each in peering.secrets),
            ),
            Text(path=DROP_IN, content=text("bird.dropin")),
            Text(path=DRAIN, content=text("drain.sh"), mode="0755"),
            bgp.kernel(router),
        ),
        checks=tuple(
            Check(name=name, argv=("/usr/sbin/bird", "-p", "-c", path), watches=(path, SESSIONS))
            for name, path in CHECKS.items()
        ),
        steps=(bgp.STEP,),
        services=(
            Service(
                name=UNIT,
                on_change="reload",
                watches=(CONFIG, SESSIONS),
                health=Health(argv=HEALTH),
            ),
        ),
        ports=bgp.ports(peering),
    )
