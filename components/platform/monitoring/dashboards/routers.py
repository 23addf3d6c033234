"""The edge: the routers' addresses and sessions, the connections they track, and their legs. Pure.

Nothing here is of an appliance, which has no exporter of ours.
"""

from __future__ import annotations

from components.platform.addon import Site
from components.platform.monitoring.dashboards import addresses, sessions
from components.platform.monitoring.dashboards.model import BAD, Dashboard, Panel, Section, Unit
from components.platform.promql import growth, mean_rate, rate

_ROUTER = 'role="router"'
LEG = f'{_ROUTER}, device!="lo"'
_BY = ("instance", "device")
_LEGEND = "{{instance}} {{device}}"
_SOFTIRQ = f'node_cpu_seconds_total{{{_ROUTER}, mode="softirq"}}'
TRACKED = f"node_nf_conntrack_entries{{{_ROUTER}}} / node_nf_conntrack_entries_limit{{{_ROUTER}}}"
"""The share of the connections that a router may track."""


def told(site: Site) -> bool:
    """Whether the routers have an exporter."""
    return any(each.role == "router" and each.name == "node" for each in site.targets)


def page(site: Site) -> Dashboard | None:
    """None where the routers tell nothing."""
    if not told(site):
        return None
    return Dashboard(
        name="routers",
        title="Layered cloud: routers",
        about="The edge: who holds the addresses, the connections tracked, and each leg.",
        sections=(
            addresses.section(site, "router"),
            sessions.section(site, "router"),
            Section(title="Connections", panels=_connections()),
            Section(title="Legs", panels=_legs()),
            Section(title="Work", panels=_work()),
        ),
    )


def _connections() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Connections tracked, of those they may",
            unit="percentunit",
            queries={"{{instance}}": TRACKED},
            most=1,
            hint="The limit is routers.limits.conntrack_max. Full, every new connection is "
            "dropped.",
        ),
        Panel(
            title="Connections tracked",
            unit="none",
            queries={"{{instance}}": f"node_nf_conntrack_entries{{{_ROUTER}}}"},
            hint="On the router that holds no VIP those are what its peer told it.",
        ),
        Panel(
            title="Packets that found no room",
            unit="pps",
            queries={
                "{{instance}} dropped": rate(
                    f"node_nf_conntrack_stat_drop{{{_ROUTER}}}", "instance"
                ),
                "{{instance}} not inserted": rate(
                    f"node_nf_conntrack_stat_insert_failed{{{_ROUTER}}}", "instance"
                ),
                "{{instance}} an older one went": rate(
                    f"node_nf_conntrack_stat_early_drop{{{_ROUTER}}}", "instance"
                ),
            },
        ),
    )


def _legs() -> tuple[Panel, ...]:
    return (
        _leg("Bytes in", "Bps", {"": "receive_bytes_total"}),
        _leg("Bytes out", "Bps", {"": "transmit_bytes_total"}),
        Panel(
            title="Legs without a link",
            unit="none",
            queries={_LEGEND: f"node_network_up{{{LEG}}} == 0"},
            shape="names",
            base=BAD,
        ),
        _leg("Packets in", "pps", {"": "receive_packets_total"}),
        _leg("Packets out", "pps", {"": "transmit_packets_total"}),
        _leg(
            "Packets lost at a leg",
            "pps",
            {
                " in, dropped": "receive_drop_total",
                " in, broken": "receive_errs_total",
                " out, dropped": "transmit_drop_total",
                " out, broken": "transmit_errs_total",
            },
        ),
    )


def _leg(title: str, unit: Unit, counters: dict[str, str]) -> Panel:
    series = {what: f"node_network_{name}{{{LEG}}}" for what, name in counters.items()}
    return Panel(
        title=title,
        unit=unit,
        queries={f"{_LEGEND}{what}": rate(each, *_BY) for what, each in series.items()},
    )


def _work() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Time in software interrupts",
            unit="percentunit",
            queries={"{{instance}}": mean_rate(_SOFTIRQ, "instance")},
            most=1,
            hint="Where packets are forwarded: near 1, the router takes no more.",
        ),
        Panel(
            title="Packets that no core had time for",
            unit="pps",
            queries={"{{instance}}": rate(f"node_softnet_dropped_total{{{_ROUTER}}}", "instance")},
        ),
        Panel(
            title="Legs that went away and came back",
            unit="none",
            queries={_LEGEND: growth(f"node_network_carrier_changes_total{{{LEG}}}", "1h", *_BY)},
            hint="Changes of the link within an hour.",
        ),
    )
