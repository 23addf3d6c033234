"""Sentences that many entries of the table share, and the entries of models that stand in several
places."""

from __future__ import annotations

from typing import Final

from settings.models.machines import MachineSpec
from settings.models.networks import Networks

REPLACES: Final = (
    "another machine: the old VM is destroyed and a new one made, which gets everything again; "
    "where `proxmox.protect` is set, refused unless `proxmox.replaceable` names it"
)
MIGRATES: Final = (
    "in place: Proxmox migrates the VM to the other host while it runs, its disks too where they "
    "are on storage of one host. Of the routers, the balancers and the control planes one each in "
    "one update; a second one is refused, in a preview too"
)
RESTARTED: Final = (
    "the same machine, from its next start by Proxmox on: by itself the update restarts nothing. "
    "Named in `maintenance.machines` the machine is restarted by Proxmox once it is out of use, "
    "one after the other"
)
TOLD_ONCE: Final = (
    "refused, in a preview too, since a machine is told this when it is made. Where "
    "`proxmox.replaceable` names the machine, another one: the old VM is destroyed and a new one "
    "made, which gets everything again"
)
TOLD_ONCE_ALL: Final = (
    "refused, in a preview too, while a VM would be told another one: each is told once, when it "
    "is made. Those that `proxmox.replaceable` names are destroyed and made anew"
)
REPLACES_ALL: Final = (
    "other machines, all of them: every VM is destroyed and made anew; where `proxmox.protect` is "
    "set, refused unless `proxmox.replaceable` names them"
)
PUSHED: Final = "in place: pushed to every machine that exists; none is replaced"
IMAGE: Final = (
    "nothing on machines that exist, which stay as they are; with the same `file_name` the file "
    "on the hosts is replaced, and new machines start from it"
)
IMAGE_FILE: Final = (
    "for `.qcow2` and `.raw`, nothing on machines that exist; for `.img`, or between the two "
    "kinds, other machines: every VM that starts from it is destroyed and made anew"
)
DISTRIBUTION: Final = (
    "nothing by itself: the next push to such a machine is refused unless the machine is what the "
    "word says"
)
FIREWALL: Final = (
    "in place, without interruption: the firewall is swapped in one transaction, on the router "
    "that owns no VIP first, and taken back if it cuts off management"
)
HAPROXY: Final = (
    "in place: HAProxy is reloaded, on the balancer that owns no VIP first; requests under way go "
    "on in the old process for `balancers.timeouts.hard_stop_after` at most"
)
OWN: Final = (
    f"{HAPROXY}. The first way to servers beside the ingress', and the last one that goes, reload "
    "keepalived, too, on the same terms"
)
KEEPALIVED: Final = (
    "in place: keepalived is reloaded, on the machine that owns no VIP first, the owner only while "
    "its peer is healthy"
)
ALIKE: Final = (
    "in place, with an interruption: keepalived is reloaded on one after the other, and while one "
    "has the new value and the other the old one, both hold the addresses"
)
LEGS: Final = "in place: the watch of the legs (`layered-legs`) is restarted, on a pair only"
MOVES: Final = "in place: keepalived is reloaded, and the addresses move to the other machine"
BGP: Final = (
    "in place: the BGP daemon is reloaded, which ends no session that does not change; a session "
    "whose own values change is set up anew"
)
FOUNDING: Final = (
    "refused once the cluster has answered, in a preview too and before any machine is touched: "
    "only `kubeadm init` reads it. Put it back, or make another cluster by giving every control "
    "plane another name and `vm_id`"
)
NODES: Final = (
    "in place: pushed to every node; kubelet or containerd is restarted where its own files "
    "changed, and pods go on running"
)
IN_TURN: Final = (
    "node by node: the control planes one after the other, then `cluster.max_unavailable` workers "
    "at once, each drained first. One that cannot be drained within `cluster.drain_seconds` stops "
    "it, and the next `pulumi up` goes on there"
)
PODS: Final = (
    "in place: its pods are renewed one by one, each finishing what it has for up to 300 s"
)
HELM: Final = "Helm upgrades the release, and its pods are renewed as the chart says"
DASHBOARDS: Final = (
    "their ConfigMaps are made or deleted, which a Grafana that looks for them sees within a "
    "minute; it is not restarted"
)
INGRESS: Final = (
    "Helm upgrades the ingress' release: its pods are renewed one by one, each finishing what it "
    "has for up to 300 s"
)
PORTS: Final = (
    "Helm changes the live Service, it is read back, and then the balancers are reloaded with it; "
    "between the two, requests meet a port that answers no more"
)
ZONE: Final = (
    "the zone's setting at the CDN is changed, where `cdn.owns_zone` is true; one taken out stays "
    "as it was last"
)
SOURCES: Final = (
    "in place, without interruption: the routers' firewall lets other sources in, and HAProxy is "
    "reloaded to believe them"
)
VOLUME: Final = (
    "refused by Kubernetes, as a StatefulSet's volumes stay what they were: first `kubectl -n loki "
    "delete statefulset loki --cascade=orphan`; a volume that is there keeps its class, and grows "
    "by its own claim"
)
OTHER_RELEASE: Final = (
    "another release is installed; the old one stays in the cluster until `helm uninstall`"
)
MAINTENANCE: Final = (
    "in place, without interruption: of a pair, the addresses move to the peer within 2 s, and "
    "back after its timers once the name is taken out; by BGP, neighbours are asked to prefer "
    "other ways. To a node the balancers send nothing new; then it is cordoned and drained, within "
    "`cluster.drain_seconds`, and takes pods again once the name is taken out. In the end Proxmox "
    "restarts those of which something waits for that (`cores`, `memory`), one after the other, "
    "never one whose peer does not serve"
)
NOTHING: Final = "nothing on a machine: Pulumi itself goes by it, from the next update on"
RUNS: Final = (
    "a new node joins; one that is taken out is drained, deleted from the cluster, then destroyed"
)


_LEGS: Final = tuple(
    key for key in MachineSpec.model_fields if key.removesuffix("6") in Networks.model_fields
)
"""Keys that are an address of a machine: its network's name, with a 6 for that by IPv6."""


def machine(path: str, more: str, member: str = "") -> dict[str, str]:
    """Of one list of machines; `more` is what another one in it, or one less, does."""
    here = f"{path}[]"
    name = f"{REPLACES}; it needs another `vm_id` too"
    return {
        path: more,
        f"{here}.vm_id": REPLACES + member,
        f"{here}.host": MIGRATES,
        **{f"{here}.{each}": TOLD_ONCE + member for each in _LEGS},
        f"{here}.name": name + member,
        f"{here}.cores": RESTARTED,
        f"{here}.memory": RESTARTED,
        f"{here}.disk": "grown at once, the file system at the next boot; a smaller one, or one "
        "that grows together with `cores` or `memory`, is refused, in a preview too"
        + (". Nothing while `platform.storage` gives nodes volumes" if member else ""),
        f"{here}.distribution": DISTRIBUTION,
    }


def image(path: str) -> dict[str, str]:
    """Of one image."""
    return {
        path: IMAGE,
        f"{path}.file_name": IMAGE_FILE,
        f"{path}.distribution": DISTRIBUTION,
    }


def vrrp(path: str) -> dict[str, str]:
    """Of one layer's failover timers."""
    legs = ("leg_interval", "leg_fall", "leg_hold")
    return {
        path: KEEPALIVED,
        f"{path}.advert_interval": ALIKE,
        **{f"{path}.{each}": LEGS for each in legs},
    }


def segment(path: str) -> dict[str, str]:
    """Of one segment."""
    cards = "in place: the network cards on this segment are changed"
    return {
        f"{path}.cidr": f"another prefix length, or another network: {TOLD_ONCE_ALL}",
        f"{path}.cidr6": "where legs of routers and balancers get, lose or change an IPv6 address: "
        f"{TOLD_ONCE_ALL}; bring it one of a pair at a time",
        **{f"{path}.{each}": cards for each in ("bridge", "vlan", "mtu")},
    }


def chart(path: str, answer: str) -> dict[str, str]:
    """Of one chart."""
    return {path: answer, f"{path}.timeout": "nothing on pods: how long an update waits for them"}
