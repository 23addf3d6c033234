"""kubeadm and kubectl, and on a control plane what `kubeadm init` makes. Pure.

Sources: kubeadm-config.v1beta4, kubelet-config.v1beta1 (kubernetes.io/docs/reference/config-api).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from components.cluster.containerd import SOCKET
from components.cluster.model import NodeModel
from components.host.packages import package
from components.host.part import Check, OpenPort, Part, Text
from components.host.text import merged
from settings.models import API_SERVER_PORT

CONFIG = "/etc/kubernetes/kubeadm-config.yaml"


def part(node: NodeModel) -> Part:
    """The two tools on every node, held; the configuration and the API's port on control planes."""
    packages = tuple(
        package(name, version=node.kubernetes_package, hold=True) for name in ("kubeadm", "kubectl")
    )
    if not node.control_plane:
        return Part(name="kubeadm", packages=packages)
    return Part(
        name="kubeadm",
        packages=packages,
        files=(Text(path=CONFIG, content=config(node)),),
        checks=(
            Check(
                name="kubeadm",
                argv=("kubeadm", "config", "validate", "--config", CONFIG),
                watches=(CONFIG,),
            ),
        ),
        ports=(
            OpenPort(
                protocol="tcp",
                number=API_SERVER_PORT,
                network="lan",
                sources="lan",
                purpose="the Kubernetes API, for the balancers",
            ),
        ),
    )


def config(node: NodeModel) -> str:
    """Init-, Cluster- and KubeletConfiguration as one YAML stream.

    The API binds to the LAN address. Its certificate names every VIP, so that any address of the
    balancers can be the server's name.
    """
    cluster = node.cluster
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
    }
    documents = (
        _init(node),
        added(_cluster(node), cluster.cluster_configuration),
        merged(kubelet, cluster.kubelet.config),
    )
    return "---\n".join(yaml.safe_dump(each, sort_keys=False) for each in documents)


def added(ours: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` laid on `ours` as `merged` does, but a list that both have is joined: flags by their
    name, the given one in place of ours, and anything else once."""
    result = merged(ours, given)
    for key, below in ours.items():
        value = given.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = added(below, value)
        elif isinstance(below, list) and isinstance(value, list):
            result[key] = _joined(below, value)
    return result


def _joined(ours: list[Any], given: list[Any]) -> list[Any]:
    if all(isinstance(each, Mapping) for each in (*ours, *given)):
        named = {each["name"] for each in given}
        return [*(each for each in ours if each["name"] not in named), *given]
    return list(dict.fromkeys([*ours, *given]))


def _init(node: NodeModel) -> dict[str, Any]:
    registration: dict[str, Any] = {"name": node.name, "criSocket": SOCKET}
    if node.cluster.schedule_on_control_planes:
        registration["taints"] = []
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "InitConfiguration",
        # Nobody joins by a token: workers have certificates of their own.
        "bootstrapTokens": [{"ttl": "15m0s"}],
        "localAPIEndpoint": {"advertiseAddress": str(node.lan), "bindPort": API_SERVER_PORT},
        "nodeRegistration": registration,
        "skipPhases": ["addon/kube-proxy"],
    }


def _cluster(node: NodeModel) -> dict[str, Any]:
    cluster, networks, api = node.cluster, node.networks, node.api
    names = [
        *(str(each) for each in (api.lan, api.management, *api.others, node.lan, node.management)),
        node.name,
        f"{node.name}.{networks.domain}",
    ]
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "clusterName": cluster.name,
        "kubernetesVersion": f"v{cluster.kubernetes_version}",
        "controlPlaneEndpoint": f"{api.lan}:{api.port}",
        "networking": {
            "dnsDomain": "cluster.local",
            "podSubnet": str(networks.pods),
            "serviceSubnet": str(networks.services),
        },
        "apiServer": {"certSANs": list(dict.fromkeys(names))},
        "controllerManager": {
            "extraArgs": [{"name": "node-cidr-mask-size", "value": str(cluster.node_mask)}]
        },
        "proxy": {"disabled": True},
    }
