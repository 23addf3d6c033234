"""The Kubernetes cluster: kubeadm, one control plane, workers with certificates of their own."""

from components.cluster.args import ClusterArgs, Node
from components.cluster.component import Cluster
from components.cluster.founding import Founding, FoundingArgs

__all__ = ["Cluster", "ClusterArgs", "Founding", "FoundingArgs", "Node"]
