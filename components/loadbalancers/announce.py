"""Whether a balancer's BGP daemon announces the service's addresses. Pure.

No BGP daemon tracks what a script says. So a unit of its own asks HAProxy, and holds the addresses
on the loopback while it serves; the daemon announces the addresses that are there.
"""

from __future__ import annotations

from pathlib import Path

from components.host.part import Health, Part, Service, Text
from components.host.text import environment
from components.loadbalancers import keepalived
from components.loadbalancers.model import SERVES_PORT, Balancer, BalancersModel

SCRIPT = "/etc/haproxy/layered-announce"
UNIT = "layered-announce.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
AWAY = "/run/layered-announce-away"
"""There while the addresses must not be taken, since HAProxy is being stopped."""
LEAVE = f"{SCRIPT} leave"
"""HAProxy has ended."""
GO_AWAY = f"{SCRIPT} away"
"""HAProxy is about to be stopped."""

_TEMPLATES = environment(Path(__file__).parent / "templates" / "announce")


def part(model: BalancersModel, balancer: Balancer) -> Part:
    """Takes and leaves the service's addresses."""

    def text(template: str) -> str:
        return _TEMPLATES.get_template(f"{template}.j2").render(
            name=balancer.name,
            vips=model.service,
            away=AWAY,
            serves_port=SERVES_PORT,
            script=SCRIPT,
        )

    # What asks HAProxy is keepalived's, where there is one.
    asking = () if model.holds(balancer.name) else keepalived.scripts(keepalived.preferences(model))
    return Part(
        name="announce",
        files=(
            Text(path=SCRIPT, content=text("announce.sh"), mode="0755"),
            Text(path=UNIT_FILE, content=text("announce.service")),
            *asking,
        ),
        services=(
            Service(
                name=UNIT,
                on_change="restart",
                watches=(SCRIPT, UNIT_FILE),
                health=Health(argv=("systemctl", "is-active", "--quiet", UNIT)),
            ),
        ),
    )
