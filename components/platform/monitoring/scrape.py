"""What Prometheus reads of the machines. Pure.

Source: Prometheus' scrape_config and static_config.
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


def _static(targets: Iterable[Target]) -> list[Object]:
    return [
        {
            "targets": [each.endpoint],
            "labels": {"instance": each.machine, "role": each.role},
        }
        for each in targets
    ]
