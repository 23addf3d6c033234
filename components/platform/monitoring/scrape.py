"""What Prometheus reads of the machines, of the ingress, and of who collects lines. Pure.

Source: Prometheus' scrape_config, static_config and kubernetes_sd_config (role pod).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from components.host.target import Target
from components.platform.addon import Object, Site
from components.platform.ingress import CONTROLLERS
from components.platform.ingress.controller import JOB
from components.platform.logging import alloy, loki

INTERVAL = "15s"
"""Between two scrapes: an alert of VIPs waits for several."""
JOBS: Mapping[str, str] = {"node": "node-exporter"}
"""By the exporter's name: the job that the chart's own rules and dashboards look for."""


def configs(targets: Sequence[Target]) -> list[Object]:
    """A job for each kind of exporter and path, a machine's name as its `instance`."""
    kinds = dict.fromkeys((each.name, each.path) for each in targets)
    return [
        {
            "job_name": JOBS.get(name, name),
            "metrics_path": path,
            "static_configs": _static(t for t in targets if (t.name, t.path) == (name, path)),
        }
        for name, path in kinds
    ]


def pods(
    namespace: str, container: str, port: str, *, job: str | None = None, path: str = "/metrics"
) -> Object:
    """A job for the pods of a namespace that tell figures at a named port, called as the container
    where nothing else is said; `instance` is the node that one is on."""
    about = "__meta_kubernetes_pod_"
    wanted = {f"{about}container_name": container, f"{about}container_port_name": port}
    return {
        "job_name": job or container,
        **({} if path == "/metrics" else {"metrics_path": path}),
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "relabel_configs": [
            *(
                {"source_labels": [label], "regex": value, "action": "keep"}
                for label, value in wanted.items()
            ),
            {"source_labels": [f"{about}node_name"], "target_label": "instance"},
        ],
    }


def read_of(site: Site) -> list[Object]:
    """Every job of the program's own: the machines, the ingress' pods, and who collects lines."""
    controller = CONTROLLERS[site.settings.ingress.kind]
    told = controller.figures
    collectors = () if site.settings.logging is None else (alloy.NAME, loki.NAME)
    return [
        *configs(site.targets),
        *(
            []
            if told is None
            else [pods(controller.namespace, told.container, told.port, job=JOB, path=told.path)]
        ),
        *(pods(each, each, "http-metrics") for each in collectors),
    ]


def _static(targets: Iterable[Target]) -> list[Object]:
    return [
        {
            "targets": [each.endpoint],
            "labels": {"instance": each.machine, "role": each.role},
        }
        for each in targets
    ]
