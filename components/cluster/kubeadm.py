"""kubeadm and kubectl, and what `kubeadm init` and `kubeadm join` are given. Pure.

Sources: kubeadm-config.v1beta4, kubelet-config.v1beta1 (kubernetes.io/docs/reference/config-api).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from components.cluster.containerd import SOCKET
from components.cluster.model import MEMBER, NodeModel
from components.host.packages import package
from components.host.part import Check, OpenPort, Part, Text
from components.host.text import merged
from settings.models import API_SERVER_PORT

CONFIG = "/etc/kubernetes/kubeadm-config.yaml"
_VERSION = "kubeadm.k8s.io/v1beta4"
_ETCD = {2379: "etcd, for the API servers", 2380: "etcd's members among themselves"}
"""TCP, kubeadm's own choice."""


def part(node: NodeModel) -> Part:
    """The two tools on every node, held; the configuration and the API's port on control planes."""
    packages = tuple(
        package(name, version=node.kubernetes_package, hold=True, settled=MEMBER)
        for name in ("kubeadm", "kubectl")
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
            *(
                OpenPort(
                    protocol="tcp", number=number, network="lan", sources="lan", purpose=purpose
                )
                for number, purpose in _ETCD.items()
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


def join_config(node: NodeModel, discovery: str) -> str:
    """JoinConfiguration of a node, as YAML; `discovery` is the path of a kubeconfig that knows the
    cluster's authority and whom the node may call itself."""
    document: dict[str, Any] = {
        "apiVersion": _VERSION,
        "kind": "JoinConfiguration",
        "discovery": {"file": {"kubeConfigPath": discovery}},
        "nodeRegistration": registration(node),
    }
    if node.control_plane:
        # The cluster's keys lie there already: without a certificateKey kubeadm takes them.
        document["controlPlane"] = {"localAPIEndpoint": _endpoint(node)}
    return yaml.safe_dump(document, sort_keys=False)


def registration(node: NodeModel) -> dict[str, Any]:
    """NodeRegistrationOptions, however the node comes into the cluster."""
    options: dict[str, Any] = {"name": node.name, "criSocket": SOCKET}
    if node.control_plane and node.cluster.schedule_on_control_planes:
        options["taints"] = []
    return options


def _endpoint(node: NodeModel) -> dict[str, Any]:
    return {"advertiseAddress": str(node.lan), "bindPort": API_SERVER_PORT}


def _init(node: NodeModel) -> dict[str, Any]:
    return {
        "apiVersion": _VERSION,
        "kind": "InitConfiguration",
        # Nobody joins by a token: every node has a certificate of its own.
        "bootstrapTokens": [{"ttl": "15m0s"}],
        "localAPIEndpoint": _endpoint(node),
        "nodeRegistration": registration(node),
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
        "apiVersion": _VERSION,
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
