"""The chain on one page: a line for each layer, from the client to the pods. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from components.platform.addon import Site
from components.platform.ingress import CONTROLLERS
from components.platform.monitoring.dashboards import (
    addresses,
    balancers,
    cluster,
    machines,
    routers,
)
from components.platform.monitoring.dashboards.model import (
    BAD,
    DOUBTFUL,
    FIRING,
    Dashboard,
    Panel,
    Section,
)
from components.platform.promql import rate


def page(site: Site) -> Dashboard:
    """Is it well, and if not, which layer is it? The other pages have the rest."""
    return Dashboard(
        name="glance",
        title="Layered cloud: the chain at a glance",
        about="One line a layer, from the client to the pods.",
        sections=tuple(_sections(site)),
    )


def _sections(site: Site) -> Iterator[Section]:
    yield Section(title="What is wrong", panels=_wrong())
    if routers.told(site):
        yield Section(title="Routers", panels=_routers(site))
    yield Section(title="Balancers", panels=_balancers(site))
    yield Section(title="Cluster", panels=_cluster())
    figures = CONTROLLERS[site.settings.ingress.kind].figures
    if figures is not None:
        yield Section(title="Ingress", panels=cluster.ingress(figures))
    yield Section(title="Certificates and backups", panels=tuple(_ends(site)))


def _wrong() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Alerts that fire",
            unit="none",
            queries={"{{severity}}": f"count by (severity) ({FIRING})"},
            shape="figure",
            base=BAD,
        ),
        Panel(
            title="What fires",
            unit="none",
            queries={"{{alertname}}": f"count by (alertname) ({FIRING})"},
            shape="names",
            base=BAD,
        ),
        Panel(
            title="Exporters that do not answer",
            unit="none",
            queries={"exporters": 'sum(up{role!=""} == bool 0)'},
            shape="figure",
            steps=((1, BAD),),
        ),
    )


def _routers(site: Site) -> tuple[Panel, ...]:
    return (
        *([addresses.owners("router")] if addresses.told(site, "router") else []),
        Panel(
            title="Connections tracked, of those they may",
            unit="percentunit",
            queries={"{{instance}}": routers.TRACKED},
            shape="figure",
            most=1,
            steps=((0.6, DOUBTFUL), (0.8, BAD)),
        ),
        Panel(
            title="Bytes in, all legs",
            unit="Bps",
            queries={
                "{{instance}}": rate(
                    f"node_network_receive_bytes_total{{{routers.LEG}}}", "instance"
                )
            },
            shape="figure",
        ),
    )


def _balancers(site: Site) -> tuple[Panel, ...]:
    return (
        *([addresses.owners("balancer", 6)] if addresses.told(site, "balancer") else []),
        Panel(
            title="Visitors' requests",
            unit="reqps",
            queries={"visitors": rate(balancers.ANSWERS)},
            shape="figure",
            width=4,
        ),
        Panel(
            title="Visitors answered with 5xx",
            unit="percentunit",
            queries={"visitors": balancers.failed()},
            shape="figure",
            width=4,
            steps=((0.01, DOUBTFUL), (0.05, BAD)),
        ),
        Panel(
            title="Visitors: time of an answer",
            unit="s",
            queries={"slowest backend": f"max({balancers.TIME})"},
            shape="figure",
            width=4,
            hint="Mean of the last 1024 requests of the slowest backend. HAProxy keeps no "
            "histogram.",
        ),
        Panel(
            title="Servers up, and down",
            unit="none",
            queries={
                "up": f"sum({balancers.server('UP')})",
                "down": f"sum({balancers.server('DOWN')})",
            },
            shape="figure",
            width=6,
            hint="Of all backends, as each balancer sees them.",
        ),
    )


def _cluster() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Nodes ready, of all",
            unit="none",
            queries={"ready": f"sum({cluster.READY})", "all": f"count({cluster.READY})"},
            shape="figure",
            width=6,
        ),
        Panel(
            title="Pods that do not run",
            unit="none",
            queries={"pods": cluster.WAITING},
            shape="figure",
            width=6,
            steps=((1, DOUBTFUL),),
        ),
        Panel(
            title="API: answered with 5xx",
            unit="reqps",
            queries={"API": rate(cluster.API_FAILED)},
            shape="figure",
            width=6,
            steps=((1, DOUBTFUL),),
        ),
        Panel(
            title="etcd: 99 of 100 within",
            unit="s",
            queries={"etcd": cluster.ETCD},
            shape="figure",
            width=6,
            steps=((0.1, DOUBTFUL), (0.5, BAD)),
        ),
    )


def _ends(site: Site) -> Iterator[Panel]:
    yield Panel(
        title="The next certificate to end, by machine",
        unit="s",
        queries={"{{instance}}": f"min by (instance) ({machines.END} - time())"},
        shape="bars",
        width=12,
        base=BAD,
        steps=machines.NEAR,
        hint="Which file it is, the page of the machines tells.",
    )
    if site.backed_up:
        yield from cluster.backups()
