"""The BGP sessions of routers and balancers, as panels. Pure.

They are told by the machines' own program (`components.host.speakers.figures`).
"""

from __future__ import annotations

from components.platform.addon import Site
from components.platform.monitoring.dashboards.model import BAD, Panel, Section

_WITH = "{{instance}} with {{name}}"


def speaks(site: Site, role: str) -> bool:
    """Whether machines of a role have sessions, and tell of them."""
    peering = site.peering
    if peering is None or role not in {each.role for each in site.targets if each.name == "node"}:
        return False
    return role == "router" or peering.balancers is not None


def section(site: Site, role: str) -> Section:
    """Of one role: none where nothing is told."""
    if not speaks(site, role):
        return Section(title="", panels=())
    own = f'role="{role}"'
    return Section(
        title="Sessions (BGP)",
        panels=(
            Panel(
                title="Sessions that are established",
                unit="none",
                queries={_WITH: f"layered_cloud_bgp_session_up{{{own}}} == 1"},
                shape="states",
                width=16,
            ),
            Panel(
                title="Sessions that are not",
                unit="none",
                queries={
                    f"{_WITH}: {{{{state}}}}": "layered_cloud_bgp_session_state"
                    f'{{{own}, state!="Established"}}'
                },
                shape="names",
                base=BAD,
                hint="Connect or Active: the neighbour does not answer. Idle: it waits, or was "
                "refused.",
            ),
            Panel(
                title="Prefixes",
                unit="none",
                queries={
                    f"{_WITH}, {way}": f"layered_cloud_bgp_session_prefixes_{way}{{{own}}}"
                    for way in ("received", "announced")
                },
                hint="A balancer announces its service's addresses while it serves.",
            ),
            Panel(
                title="Since a session came up or went down",
                unit="s",
                queries={
                    _WITH: f"time() - layered_cloud_bgp_session_changed_timestamp_seconds{{{own}}}"
                },
                hint="BIRD tells no more than the date of what is older than most of a day.",
            ),
            Panel(
                title="Neighbours that BFD does not see",
                unit="none",
                queries={_WITH: f"layered_cloud_bgp_session_bfd_up{{{own}}} == 0"},
                shape="names",
                base=BAD,
            ),
        ),
    )
