"""Which balancer a connection keeps, where all of them announce the service. Pure.

The kernel chooses among ways of equal cost by a hash, and when their number changes it shares out
anew: connections to balancers that are well would be led to others, which reset them. Resilient
next hops (ip-nexthop(8)) would help; neither FRR nor BIRD makes such ones of routes that it learns
by BGP. So the firewall marks a connection with the way it has taken, conntrackd tells the peer, and
a rule for each mark leads there (ip-rule(8)).
"""

from __future__ import annotations

from pathlib import Path

from components.host.pair import HEALTH_PORT
from components.host.part import Health, Part, Service, Text
from components.host.text import environment
from components.routers.linux import firewall
from components.routers.model import Router, RoutersModel

SCRIPT = "/etc/nftables/layered-ways"
UNIT = "layered-ways.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
FIRST_TABLE = 100_000
"""A mark's routing table is numbered from here (ip-route(8): above 255 are free)."""
PREFERENCE = 900
"""Of the rules: before the kernel's own, which lead to the table main (32766)."""

_TEMPLATES = environment(Path(__file__).parent / "templates" / "ways")


def part(model: RoutersModel, router: Router) -> Part | None:
    """The rules and their tables; None where balancers announce nothing."""
    peering, marks = model.peering, firewall.marks(model, router)
    if peering is None or not marks:
        return None
    script = _TEMPLATES.get_template("ways.sh.j2").render(
        router=router,
        peering=peering,
        marks=marks,
        first=FIRST_TABLE,
        preference=PREFERENCE,
        health_port=HEALTH_PORT,
    )
    unit = _TEMPLATES.get_template("layered-ways.service.j2").render(
        firewall=firewall.UNIT, script=SCRIPT
    )
    return Part(
        name="ways",
        files=(
            Text(path=SCRIPT, content=script, mode="0755"),
            Text(path=UNIT_FILE, content=unit),
        ),
        services=(
            Service(
                name=UNIT,
                on_change="restart",
                watches=(SCRIPT, UNIT_FILE),
                health=Health(argv=("systemctl", "is-active", "--quiet", UNIT)),
                guarded=False,
            ),
        ),
    )
