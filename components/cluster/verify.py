"""Cross-field sense of the cluster, before any machine is touched."""

from __future__ import annotations

from components.cluster.args import ClusterArgs
from settings.models import Cluster


def verify(args: ClusterArgs) -> list[str]:
    """Every problem, as one sentence each; empty when the cluster makes sense."""
    cluster, networks = args.cluster, args.networks
    problems: list[str] = []
    names = [machine.name for machine in args.control_planes]
    if len(names) != 1:
        listed = ", ".join(names) or "none"
        problems.append(
            f"cluster.control_planes: {len(names)} control planes ({listed}); this version makes "
            "clusters with exactly one. A second one needs a joined etcd member, which is not "
            "supported yet: leave one"
        )
    if not args.workers and not cluster.schedule_on_control_planes:
        problems.append(
            "cluster.workers: no workers, and control planes take no pods; add a worker or set "
            "cluster.schedule_on_control_planes"
        )
    for machine in (*args.control_planes, *args.workers):
        if "lan" not in machine.addresses:
            problems.append(f"{machine.name}: a node needs a LAN address")
    for where, vip, segment in (
        ("LAN", args.api.lan, networks.lan),
        ("management", args.api.management, networks.management),
    ):
        if vip not in segment.cidr:
            problems.append(f"the API's {where} VIP {vip} is not in {segment.cidr}")
    nodes = len(args.control_planes) + len(args.workers)
    room = 1 << max(cluster.node_mask - networks.pods.prefixlen, 0)
    if cluster.node_mask <= networks.pods.prefixlen or room < nodes:
        problems.append(
            f"cluster.node_mask: {networks.pods} holds {room} shares of /{cluster.node_mask} for "
            f"{nodes} nodes; raise node_mask or widen networks.pods"
        )
    return problems + _extensions(cluster)


def _extensions(cluster: Cluster) -> list[str]:
    problems: list[str] = []
    for flag, value in cluster.kubelet.extra_args.items():
        if flag.startswith("-") or any(char.isspace() or char in "\"'\\$" for char in flag + value):
            problems.append(
                f"cluster.kubelet.extra_args: {flag}={value!r} cannot stand in the kubelet's "
                "environment file; leave dashes, blanks, quotes and dollars out"
            )
    for path in cluster.node_files:
        if not path.startswith("/"):
            problems.append(f"cluster.node_files: {path} is not an absolute path")
    for file in cluster.containerd.snippets:
        if not file.endswith(".toml") or "/" in file:
            problems.append(
                f"cluster.containerd.snippets: {file} would not be imported; name it NAME.toml"
            )
    return problems
