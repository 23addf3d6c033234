"""keepalived, as every pair runs it: one process a machine, VRRP version 3, unicast. Pure.

A layer's own template extends `vrrp.conf.j2` (the process) and includes `vrrp-instance.j2` (what an
instance says first: timers, priority, peer), so that both pairs say these things alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment

from components.host.packages import package
from components.host.pair.watch import RUNTIME
from components.host.part import Check, Health, OpenPort, Part, Service, Text
from components.host.text import environment

CONFIG = "/etc/keepalived/keepalived.conf"
DROP_IN = "/etc/systemd/system/keepalived.service.d/layered.conf"
UNIT = "keepalived.service"
# From 2.3 on it passes over a tracked file whose directory is not there, and may be killed by it
# (SIGSEGV in 2.3.3): before the first push of a machine nobody has made it.
CHECK = (
    "/bin/sh",
    "-c",
    f"mkdir -p /run/{RUNTIME} && exec /usr/sbin/keepalived -t -f {CONFIG}",
)
VRRP_PROTOCOL = 112
"""IANA's number of VRRP, an IP protocol of its own (RFC 5798, 5.1.1.4)."""

SHARED = Path(__file__).parent / "templates"
_TEMPLATES = environment(SHARED)


def templates(own: Path) -> Environment:
    """A layer's templates, over the ones that every pair has."""
    return environment(own, SHARED)


def part(
    config: str,
    *,
    after: Sequence[str],
    needs: Sequence[str] = (),
    scripts: Sequence[Text] = (),
    peer_networks: Sequence[str] = (),
) -> Part:
    """keepalived with the text `config`, started after the units `after`; it runs only while all of
    `needs` are active (systemd.unit(5), BindsTo=).

    `scripts` are what it runs itself. `peer_networks` are the legs it hears its peer on: none for a
    machine alone.
    """
    drop_in = _TEMPLATES.get_template("keepalived.dropin.j2")
    watches = (CONFIG, *(script.path for script in scripts))
    return Part(
        name="keepalived",
        packages=(package("keepalived"),),
        files=(
            Text(path=CONFIG, content=config),
            Text(
                path=DROP_IN,
                content=drop_in.render(after=after, needs=needs),
            ),
            *scripts,
        ),
        checks=(Check(name="keepalived", argv=CHECK, watches=watches),),
        services=(
            Service(
                name=UNIT,
                on_change="reload",
                watches=(CONFIG, DROP_IN, *watches[1:]),
                health=Health(argv=("systemctl", "is-active", "--quiet", UNIT)),
            ),
        ),
        ports=tuple(
            OpenPort(
                protocol="vrrp",
                number=None,
                network=network,
                sources="peer",
                purpose="adverts of the peer",
            )
            for network in peer_networks
        ),
    )
