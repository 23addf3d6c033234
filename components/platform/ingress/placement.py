"""Where the pods of an ingress controller stand, and how its Service leads to them: what every kind
decides alike, in Kubernetes' own terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.platform.addon import Values
from settings.models import ACCEPT_SECONDS, FINISH_SECONDS, Ingress

PATIENCE_SECONDS = ACCEPT_SECONDS + FINISH_SECONDS + 10
"""A pod's terminationGracePeriodSeconds: what it serves ends before it."""
READY_SECONDS = 5
"""How long a new pod is ready before an old one leaves (minReadySeconds)."""


def kind(ingress: Ingress) -> str:
    """What the pods belong to: one on every node, or so many."""
    return "DaemonSet" if ingress.replicas is None else "Deployment"


def rollout() -> Values:
    """The update strategy: a new pod first, then the old one leaves. A quarter of them at a time,
    as a Deployment has it by default: Helm waits for the last one, on however many nodes."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}


def readiness(period: int) -> Values:
    """Of a readiness probe: every so many seconds, and believed once a pod's time to leave is over.

    A pod that leaves answers no probe any more. Taken for one that does not serve (`serving` of an
    EndpointSlice, KEP-1672), Cilium would forget it with the connections that it still has. One
    that hangs is the business of its liveness probe, and of the balancers' own checks.
    """
    return {"periodSeconds": period, "failureThreshold": -(-PATIENCE_SECONDS // period)}


def health_port(ingress: Ingress) -> int | None:
    """The Service's healthCheckNodePort, where one is decided: the API server refuses it with the
    policy Cluster, by which every node answers."""
    return ingress.node_ports.health if ingress.external_traffic_policy == "Local" else None


def spread(labels: Mapping[str, str]) -> list[Any]:
    """Constraints that share out the pods with these labels among nodes as evenly as can be; they
    stand together rather than not at all (topologySpreadConstraints)."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(labels)},
        }
    ]


def budget(ingress: Ingress, switch: str) -> Values:
    """A PodDisruptionBudget that lets nodes be drained one pod after the other, with `switch` as
    the chart's word for having one. None for a pod on every node: a drain passes those over, and
    `maxUnavailable` cannot be counted of a DaemonSet (policy/v1, PodDisruptionBudgetSpec)."""
    return {} if ingress.replicas is None else {switch: True, "maxUnavailable": 1}
