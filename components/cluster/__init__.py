"""The Kubernetes cluster by kubeadm: control planes and workers, each with its own certificate."""

from components.cluster.args import ClusterArgs, Node
from components.cluster.component import Cluster
from components.cluster.founding import Founding, FoundingArgs
from components.cluster.maintenance import Maintenance, MaintenanceArgs

__all__ = [
    "Cluster",
    "ClusterArgs",
    "Founding",
    "FoundingArgs",
    "Maintenance",
    "MaintenanceArgs",
    "Node",
]
