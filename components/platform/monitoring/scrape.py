"""What Prometheus reads of the machines, and of who collects lines. Pure.

Source: Prometheus' scrape_config, static_config and kubernetes_sd_config (role pod).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from components.host.target import Target
from components.platform.addon import Object

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


def pods(namespace: str, container: str, port: str) -> Object:
    """A job for the pods of a namespace that tell figures at a named port; `instance` is the node
    that one is on."""
    about = "__meta_kubernetes_pod_"
    wanted = {f"{about}container_name": container, f"{about}container_port_name": port}
    return {
        "job_name": container,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "relabel_configs": [
            *(
                {"source_labels": [label], "regex": value, "action": "keep"}
                for label, value in wanted.items()
            ),
            {"source_labels": [f"{about}node_name"], "target_label": "instance"},
        ],
    }


def _static(targets: Iterable[Target]) -> list[Object]:
    return [
        {
            "targets": [each.endpoint],
            "labels": {"instance": each.machine, "role": each.role},
        }
        for each in targets
    ]
