"""The kubelet. Pure. Source: kubernetes.io, "Configuring each kubelet in your cluster"."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address

from components.cluster.model import MEMBER, NodeModel
from components.cluster.render import text
from components.host.packages import package
from components.host.part import OpenPort, Part, Service, Text

ENVIRONMENT = "/etc/default/kubelet"
PORT = 10250


def part(node: NodeModel) -> Part:
    """The kubelet, started by kubeadm and not by the push: until a node is in a cluster it has
    nothing to run."""
    content = environment(node.name, node.lan, node.cluster.kubelet.extra_args)
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


def environment(name: str, address: IPv4Address, extra_args: Mapping[str, str]) -> str:
    """/etc/default/kubelet: the node's LAN address and the stack's own flags for this machine."""
    flags = {"node-ip": str(address)}
    flags |= {key: value.replace("{name}", name) for key, value in extra_args.items()}
    return text("kubelet.env.j2", flags=[f"--{key}={value}" for key, value in flags.items()])
