"""Grafana Alloy on every node: what reads the pods' files and the node's journal.

Alloy is the successor of Promtail, which has had no more releases since March 2026.

Sources: the chart's values.yaml; Alloy's reference of the components that its configuration names;
Kubernetes' log directory (/var/log/pods/NAMESPACE_POD_UID/CONTAINER).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.host.text import environment
from components.platform import metallb
from components.platform.addon import Addon, Object, Site, Values
from components.platform.ingress import CONTROLLERS
from components.platform.logging import loki
from settings.models import Collector

NAME = "alloy"
FOLDER = "/var/lib/alloy"
"""Where it remembers, on each node, how far it has read."""
REQUEST_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""What the balancers make (HAProxy's `uuid`)."""
SERVICE = f"{NAME}-collector"
PORT = 6601
"""Where a pod takes the machines' lines: one that needs no capability."""
COUNTER = ("layered_cloud_", "machine_lines_total")
"""Prefix and name of what Alloy counts of the machines that are no nodes, by `host`."""
LONGEST = 131_072
"""Bytes of a line: twice what a journal's or an access log's may have."""

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
        objects={} if given.collector is None else {SERVICE: service(site, given.collector)},
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


def service(site: Site, collector: Collector) -> Object:
    """The collector's address: for the senders' own addresses alone, which a pod is told as they
    are, since a node sends to its own pod only. No NodePort leads there."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": SERVICE,
            "namespace": NAME,
            "annotations": metallb.address_annotations(collector.address),
        },
        "spec": {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "allocateLoadBalancerNodePorts": False,
            "loadBalancerSourceRanges": [f"{each}/32" for each in site.senders.values()],
            "selector": {"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME},
            "ports": [{"name": "syslog", "port": collector.port, "targetPort": PORT}],
        },
    }


def configuration(site: Site) -> str:
    """Alloy's own configuration, in its own syntax. Pure.

    Labels are few and bounded by what the stack has: `source`, `host`, `namespace`, `container` and
    `stream`. What has as many values as there are requests or pods (`request_id`, `pod`, `unit`) is
    structured metadata, which makes no stream. A machine's `host` is who is at the address that a
    line came from, whatever the line says.
    """
    given = site.settings.logging
    controller = CONTROLLERS[site.settings.ingress.kind]
    return _TEMPLATES.get_template("config.alloy.j2").render(
        access=controller.access_log,
        ingress=controller.namespace,
        collector=given and given.collector,
        counter=COUNTER,
        longest=LONGEST,
        port=PORT,
        senders=site.senders,
        push=f"{loki.URL}/loki/api/v1/push",
        request_id=REQUEST_ID,
    )
