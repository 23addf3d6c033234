"""Who holds the virtual addresses, as panels. Pure.

keepalived has no exporter: an address that is on a leg is told by node_exporter, and the rules'
facts say which ones are VIPs (`layered_cloud:vip`).
"""

from __future__ import annotations

from components.platform.addon import Site
from components.platform.monitoring.dashboards.model import BAD, Panel, Section
from components.platform.monitoring.rules import facts

WINDOW = "1h"


def told(site: Site, role: str) -> bool:
    """Whether a role has VIPs, and somebody tells who holds them."""
    return any(each["labels"]["role"] == role for each in facts(site)["rules"])


def holders(role: str) -> str:
    """A series for each VIP of a role's that a machine of it has on a leg."""
    held = f'node_network_address_info{{role="{role}"}} and on (address) layered_cloud:vip'
    return f"max by (address, instance) ({held})"


def taken(role: str) -> str:
    """How often each machine got a VIP within the last hour: it has it, had it not a minute ago,
    and was told of then."""
    had = f'max by (address, instance) (node_network_address_info{{role="{role}"}} offset 1m)'
    told = 'on (instance) (up{job="node-exporter"} offset 1m == 1)'
    new = f"{holders(role)} unless {had} and {told}"
    return f"sum by (address, instance) (count_over_time(({new})[{WINDOW}:1m]))"


def owners(role: str, width: int = 8) -> Panel:
    """Who holds them now."""
    return Panel(
        title=f"Who holds the {role}s' VIPs",
        unit="none",
        queries={"{{address}}: {{instance}}": holders(role)},
        shape="names",
        width=width,
        hint="An address that is missing here is held by nobody.",
    )


def section(site: Site, role: str) -> Section:
    """Of one role: none where nothing is told."""
    if not told(site, role):
        return Section(title="", panels=())
    unheld = f'layered_cloud:vip{{role="{role}"}} unless on (address) node_network_address_info'
    return Section(
        title="Virtual addresses (VRRP)",
        panels=(
            owners(role, width=16),
            Panel(
                title="VIPs without an owner",
                unit="none",
                queries={"VIPs": f"count({unheld})"},
                shape="figure",
                base=BAD,
            ),
            Panel(
                title="Who held them",
                unit="none",
                queries={"{{address}} {{instance}}": holders(role)},
                shape="states",
                width=16,
            ),
            Panel(
                title=f"Moves to a machine within {WINDOW}",
                unit="none",
                queries={"{{address}} to {{instance}}": taken(role)},
                hint="A VIP that came and went between two scrapes is not seen.",
            ),
        ),
    )
