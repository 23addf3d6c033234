"""Every text of the cluster's layer: files of a node, and the shell texts of its actions.

Sources: kubeadm-config.v1beta4, kubelet-config.v1beta1 (kubernetes.io/docs/reference/config-api),
containerd docs/cri/config.md and docs/hosts.md, sysctl.d(5), modules-load.d(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import yaml

from components.host import ApiEndpoint
from components.host.text import environment, merged
from settings.models import Cluster, Networks

KUBEADM_CONFIG = "/etc/kubernetes/kubeadm-config.yaml"
MARKERS = "/etc/kubernetes/layered-cloud"
CRI_SOCKET = "unix:///run/containerd/containerd.sock"
MODULES = ("overlay", "br_netfilter")
BINDING = "layered-cloud-administrator"
KUBECONFIG_VALIDITY = "8760h"

_ENVIRONMENT = environment(Path(__file__).parent / "templates")


def text(template: str, **values: object) -> str:
    """One template of this layer, filled in; a missing value is an error."""
    return _ENVIRONMENT.get_template(template).render(**values)


def containerd_config() -> str:
    """/etc/containerd/config.toml: runc under systemd's cgroups, registries by certs.d."""
    return text("containerd.toml.j2")


def sysctl_config(extra: Mapping[str, str]) -> str:
    """sysctl.d file of a node; `extra` keys come last and so win."""
    return text("sysctl.conf.j2", extra=extra)


def modules_config() -> str:
    """modules-load.d file of a node."""
    return "".join(f"{name}\n" for name in MODULES)


def kubelet_environment(name: str, address: IPv4Address, extra_args: Mapping[str, str]) -> str:
    """/etc/default/kubelet: the node's LAN address and the stack's own flags for this machine."""
    flags = {"node-ip": str(address)}
    flags |= {key: value.replace("{name}", name) for key, value in extra_args.items()}
    return text("kubelet.env.j2", flags=[f"--{key}={value}" for key, value in flags.items()])


def kubeadm_config(
    cluster: Cluster,
    networks: Networks,
    api: ApiEndpoint,
    *,
    name: str,
    addresses: Sequence[IPv4Address],
    domain: str,
) -> str:
    """What `kubeadm init` makes: Init-, Cluster- and KubeletConfiguration as one YAML stream.

    `addresses` are the control plane's own: the first is the LAN's, which the API binds to. The
    certificate names every VIP, so that any address of the balancers can be the server's name.
    """
    lan = addresses[0]
    registration: dict[str, Any] = {"name": name, "criSocket": CRI_SOCKET}
    if cluster.schedule_on_control_planes:
        registration["taints"] = []
    init = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "InitConfiguration",
        # Workers get tokens of their own, when they join.
        "bootstrapTokens": [{"ttl": "15m0s"}],
        "localAPIEndpoint": {"advertiseAddress": str(lan), "bindPort": 6443},
        "nodeRegistration": registration,
        "skipPhases": ["addon/kube-proxy"],
    }
    names = [
        *(str(each) for each in (api.lan, api.management, *api.others, *addresses)),
        name,
        f"{name}.{domain}",
    ]
    decided = {
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
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
    }
    documents = (
        init,
        merged(decided, cluster.cluster_configuration),
        merged(kubelet, cluster.kubelet.config),
    )
    return "---\n".join(yaml.safe_dump(each, sort_keys=False) for each in documents)


def ignore_flag(errors: Sequence[str]) -> str:
    """kubeadm's flag with its leading blank, or nothing."""
    return f" --ignore-preflight-errors={','.join(errors)}" if errors else ""


def init_guard() -> str:
    """Holds when the cluster was made, and its node not reset since."""
    return f"[ -f {MARKERS}/initialised ]\n[ -s /etc/kubernetes/kubelet.conf ]\n"


def init_do(ignored: Sequence[str]) -> str:
    """`kubeadm init`; a failure says kubeadm's words and leaves a node to begin on again."""
    return text("init.sh.j2", config=KUBEADM_CONFIG, markers=MARKERS, ignore=ignore_flag(ignored))


def reset() -> str:
    """Makes a node a plain machine again."""
    return f"kubeadm reset --force >&2\nrm -rf /etc/cni/net.d/* {MARKERS}\n"


def join_do(name: str, api: ApiEndpoint, ignored: Sequence[str]) -> str:
    """`kubeadm join` with the token, the CA's hash and the CA file's digest in $SECRETS/join."""
    return text(
        "join.sh.j2",
        name=name,
        endpoint=f"{api.lan}:{api.port}",
        cri_socket=CRI_SOCKET,
        ignore=ignore_flag(ignored),
    )


def administrator(epoch: int) -> str:
    """The kubeconfig's user: another one each epoch, so that the role can be moved to it."""
    return f"layered-cloud-{epoch}"


def servers(api: ApiEndpoint) -> list[str]:
    """The API's URLs through both VIPs."""
    return [f"https://{address}:{api.port}" for address in (api.lan, api.management)]
