"""Every probe by name, in the order in which they run."""

from __future__ import annotations

from lab.probes import (
    announced,
    backups,
    cdn,
    certificates,
    clocks,
    doors,
    edge,
    exporters,
    inside,
    moves,
    services,
)
from lab.probes.result import Probe

PROBES: dict[str, Probe] = {
    "one owner of each VIP": edge.one_owner_each,
    "cluster ready": inside.cluster_ready,
    "whole chain from outside": edge.through_the_chain,
    "names lead to the CDN": cdn.names,
    "the CDN keeps and refuses what its rules say": cdn.rules,
    "the origin answers nobody but the CDN": cdn.only_the_cdn,
    "every service at its names": services.answering,
    "traffic crossed both tiers": inside.crossed_both_tiers,
    "every balancer that announces is led requests": announced.every_balancer,
    "hairpin from every node": edge.hairpin,
    "outbound leaves with the VIP": edge.outbound,
    "every NodePort answers inside": inside.node_ports,
    "LoadBalancer IP answers inside": inside.load_balancer_ip,
    "API through both VIPs": inside.api_vips,
    "every control plane serves the API": inside.every_control_plane,
    "nothing else reachable from outside": edge.nothing_else_open,
    "sshd on the management leg alone": doors.ssh_on_management_alone,
    "figures on the management network": exporters.read_on_management,
    "IPv6 at the routers as the stack says": edge.ipv6,
    "manifests true": inside.manifests_true,
    "no certificate ends soon": certificates.lasting,
    "backups of the cluster are young": backups.young,
    "clocks in sync with the runner's": clocks.in_sync,
    "whole chain after the routers' VIPs moved": moves.router,
    "whole chain after the balancers' VIPs moved": moves.balancer,
}
