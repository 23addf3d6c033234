"""Grafana Alloy on every node: what reads the pods' files and the node's journal.

Alloy is the successor of Promtail, which has had no more releases since March 2026.

Sources: the chart's values.yaml; Alloy's reference of the components that its configuration names;
Kubernetes' log directory (/var/log/pods/NAMESPACE_POD_UID/CONTAINER).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.host.text import environment
from components.platform.addon import Addon, Site, Values
from components.platform.ingress import CONTROLLERS
from components.platform.logging import loki

NAME = "alloy"
FOLDER = "/var/lib/alloy"
"""Where it remembers, on each node, how far it has read."""
REQUEST_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""What the balancers make (HAProxy's `uuid`)."""

_TEMPLATES = environment(Path(__file__).parent / "templates")


def addon(site: Site) -> Addon | None:
    """Alloy, where the stack has logging.

    The namespace is privileged since its pods read the nodes' files, as root without a capability:
    whose owner root is, root reads.
    """
    given = site.settings.logging
    if given is None:
        return None
    return Addon(
        name=NAME,
        namespace=NAME,
        pod_security="privileged",
        chart=given.alloy,
        values=values(site),
        after=(loki.NAME,),
    )


def values(site: Site) -> Values:
    """What the program decides for the chart: a pod on every node, control planes included, which
    may list pods and nothing else."""
    positions: dict[str, Any] = {"name": "positions"}
    pods = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    return {
        "crds": {"create": False},
        "rbac": {"rules": [pods], "clusterRules": []},
        "alloy": {
            "configMap": {"create": True, "content": configuration(site)},
            "enableReporting": False,
            "storagePath": FOLDER,
            "mounts": {"varlog": True, "extra": [{**positions, "mountPath": FOLDER}]},
            "securityContext": {
                "runAsUser": 0,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        },
        "controller": {
            "type": "daemonset",
            "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
            "volumes": {
                "extra": [
                    {**positions, "hostPath": {"path": FOLDER, "type": "DirectoryOrCreate"}},
                ]
            },
        },
    }


def configuration(site: Site) -> str:
    """Alloy's own configuration, in its own syntax. Pure.

    Labels are few and bounded by what the stack has: `source`, `host`, `namespace`, `container` and
    `stream`. What has as many values as there are requests or pods (`request_id`, `pod`, `unit`) is
    structured metadata, which makes no stream.
    """
    controller = CONTROLLERS[site.settings.ingress.kind]
    return _TEMPLATES.get_template("config.alloy.j2").render(
        access=controller.access_log,
        ingress=controller.namespace,
        push=f"{loki.URL}/loki/api/v1/push",
        request_id=REQUEST_ID,
    )
