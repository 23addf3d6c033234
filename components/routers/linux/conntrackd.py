"""conntrackd: the routers know each other's open connections. For a pair only. Pure."""

from __future__ import annotations

from pathlib import Path

from components.host.packages import package
from components.host.part import Check, Health, OpenPort, Part, Service, Text
from components.host.text import environment
from components.routers.model import Router, RoutersModel

CONFIG = "/etc/conntrackd/layered.conf"
UNIT = "conntrackd.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/layered.conf"
PORT = 3780
"""UDP, on the sync segment: conntrackd's own custom."""
# conntrackd has no checker of its own, but every request to it parses the file first.
CHECK = (
    "/bin/sh",
    "-c",
    f"said=$(/usr/sbin/conntrackd -C {CONFIG} -s 2>&1) && exit 0; "
    'case "$said" in *"[warning]"*) ;; *"is conntrackd running"*) exit 0 ;; esac; '
    "printf '%s\\n' \"$said\" >&2; exit 1",
)

_TEMPLATES = environment(Path(__file__).parent / "templates" / "conntrackd")


def part(model: RoutersModel, router: Router) -> Part | None:
    """conntrackd.conf(5): FTFW over unicast UDP on the sync segment; None for a router alone."""
    link = model.link(router.name)
    if link is None:
        return None
    own = [leg.ip for each in model.members for leg in each.legs()]
    own6 = [leg.ip6 for each in model.members for leg in each.legs() if leg.ip6 is not None]
    config = _TEMPLATES.get_template("conntrackd.conf.j2").render(
        model=model,
        router=router,
        link=link,
        port=PORT,
        ignored=sorted({*own, *model.public, *model.gateways}),
        ignored6=sorted({*own6, *model.public6, *model.gateways6}),
    )
    drop_in = _TEMPLATES.get_template("conntrackd.dropin.j2").render(config=CONFIG)
    return Part(
        name="conntrackd",
        packages=(package("conntrackd"),),
        files=(Text(path=CONFIG, content=config), Text(path=DROP_IN, content=drop_in)),
        checks=(Check(name="conntrackd", argv=CHECK, watches=(CONFIG,)),),
        services=(
            Service(
                name=UNIT,
                on_change="restart",
                watches=(CONFIG, DROP_IN),
                health=Health(argv=("/usr/sbin/conntrackd", "-C", CONFIG, "-s")),
            ),
        ),
        ports=(
            OpenPort(
                protocol="udp",
                number=PORT,
                network="sync",
                sources="peer",
                purpose="the peer's open connections",
            ),
        ),
    )
