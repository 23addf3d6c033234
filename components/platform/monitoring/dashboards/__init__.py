"""Dashboards of the chain for Grafana, from client to pod: one file a page, one row each.

Sources: kube-prometheus-stack's values.yaml, 88 (`grafana.sidecar.dashboards`: ConfigMaps of any
namespace with this label); k8s-sidecar's README (each key of a ConfigMap is a file).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from components.platform.addon import Object, Site
from components.platform.monitoring.dashboards import balancers, cluster, glance, machines, routers
from components.platform.monitoring.dashboards.model import TAG, Dashboard, document
from settings.models import MONITORING_NAMESPACE, Monitoring

PAGES: tuple[Callable[[Site], Dashboard | None], ...] = (
    glance.page,
    routers.page,
    balancers.page,
    cluster.page,
    machines.page,
)
"""`None` of one says that the stack has nothing to fill it with."""


def pages(site: Site) -> list[Dashboard]:
    """Those that this stack can fill."""
    return [made for make in PAGES if (made := make(site)) is not None]


def objects(site: Site, given: Monitoring) -> Mapping[str, Object]:
    """A ConfigMap for each page, where the stack has a Grafana or wants them all the same."""
    if not given.shows_dashboards:
        return {}
    return {f"{each.uid}-dashboard": _config_map(each, given) for each in pages(site)}


def _config_map(dashboard: Dashboard, given: Monitoring) -> Object:
    name, value = given.dashboard_label
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": dashboard.uid,
            "namespace": MONITORING_NAMESPACE,
            "labels": {name: value, "app.kubernetes.io/part-of": TAG},
        },
        "data": {f"{dashboard.uid}.json": _text(document(dashboard))},
    }


def _text(value: Any) -> str:
    """In lines, for whoever reads the ConfigMap."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
