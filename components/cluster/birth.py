"""What `kubeadm init` alone reads. A later change of it would be written and change nothing, so it
is refused: when the update is planned, and again on the machine.

Until the API has answered through both VIPs nobody has been given the cluster, so a change then
makes it anew: that is how a wrong value is taken back. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.host.endpoint import ApiEndpoint
from settings.models import Cluster, Networks

EPOCH = "credentials"
REMEDY = (
    "kubeadm reads this when it makes the cluster and never again: put it back, or make another "
    "cluster by replacing the machine of every control plane"
)


def facts(cluster: Cluster, networks: Networks, api: ApiEndpoint) -> dict[str, str]:
    """Stack key to value, as JSON. kubeadm's version is left out: `kubeadm upgrade` changes it."""
    read: dict[str, Any] = {
        "balancers.vips": [str(api.lan), str(api.management)],
        "balancers.api_port": api.port,
        "cluster.name": cluster.name,
        "cluster.node_mask": cluster.node_mask,
        "cluster.schedule_on_control_planes": cluster.schedule_on_control_planes,
        "networks.pods": str(networks.pods),
        "networks.services": str(networks.services),
    }
    for section, given in (
        ("cluster_configuration", cluster.cluster_configuration),
        ("kubelet.config", cluster.kubelet.config),
    ):
        read |= {f"cluster.{section}.{key}": value for key, value in given.items()}
    return {key: json.dumps(value, sort_keys=True) for key, value in sorted(read.items())}


def epoch(credentials: str, read: Mapping[str, str]) -> str:
    """The epoch of the action that hands the cluster out, which runs again for other `credentials`:
    what it was made with rides along, so that a later plan knows."""
    return json.dumps({EPOCH: credentials, **read}, sort_keys=True)


def refusal(before: str, now: str) -> list[str]:
    """What differs between two such epochs, a sentence each; none when the cluster may stay."""
    try:
        old, new = json.loads(before), json.loads(now)
    except ValueError:
        return []
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []  # of a program that did not say yet what a cluster was made with
    none = "not given"
    return [
        f"{key} was {old.get(key, none)} when it was made, and is {new.get(key, none)}"
        for key in sorted({*old, *new} - {EPOCH})
        if old.get(key) != new.get(key)
    ]
