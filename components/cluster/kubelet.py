"""The kubelet. Pure. Source: kubernetes.io, "Configuring each kubelet in your cluster"."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from types import MappingProxyType

from components.cluster.model import MEMBER, NodeModel
from components.cluster.render import text
from components.host.packages import package
from components.host.part import OpenPort, Part, Service, Text

ENVIRONMENT = "/etc/default/kubelet"
PORT = 10250
_LABELS = "node-labels"


def part(node: NodeModel) -> Part:
    """The kubelet, started by kubeadm and not by the push: until a node is in a cluster it has
    nothing to run."""
    content = environment(node.name, node.lan, node.cluster.kubelet.extra_args, node.labels)
    return Part(
        name="kubelet",
        packages=(package("kubelet", version=node.kubernetes_package, hold=True, settled=MEMBER),),
        files=(Text(path=ENVIRONMENT, content=content),),
        services=(
            Service(
                name="kubelet",
                on_change=("systemctl", "try-restart", "kubelet.service"),
                watches=(ENVIRONMENT,),
                enable=False,
            ),
        ),
        ports=(
            OpenPort(
                protocol="tcp",
                number=PORT,
                network="lan",
                sources="lan",
                purpose="the kubelet's API: logs, exec and metrics, for the API server",
            ),
        ),
    )


def environment(
    name: str,
    address: IPv4Address,
    extra_args: Mapping[str, str],
    labels: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """/etc/default/kubelet: the node's LAN address and the stack's own flags for this machine.

    Of the labels, a kubelet that starts puts those of the topology on a node that is there, too
    (kubernetes v1.36, pkg/kubelet/kubelet_node_status.go, `updateDefaultLabels`).
    """
    flags = {"node-ip": str(address)}
    flags |= {key: value.replace("{name}", name) for key, value in extra_args.items()}
    if labels:
        given = [f"{key}={value}" for key, value in labels.items()]
        flags[_LABELS] = ",".join([*given, *([flags[_LABELS]] if _LABELS in flags else [])])
    return text("kubelet.env.j2", flags=[f"--{key}={value}" for key, value in flags.items()])
