"""What is there already: Proxmox, the networks, who answers on them."""

from __future__ import annotations

from typing import Final

from settings.init.questions.question import Answers, Fixed, Question, with_answer
from settings.models.base import Form

_PAIRS: Final = with_answer("pairs", "yes")
_HOST: Final = Form(
    "[^=]+=.*", "names no address", "write each as NAME=ADDRESS, such as pve1=10.20.0.2"
)


def _several(given: Answers) -> str:
    return "yes" if "," in given["hosts"] else "no"


def _bridge(network: str) -> tuple[str, ...]:
    return (f"networks.{network}.bridge", f"networks.{network}.vlan")


PLACES: Final = (
    Question(
        name="endpoint",
        text="Proxmox' API, such as https://pve.example.org:8006/",
        keys=("proxmox.endpoint",),
        stand_in="https://pve.example.org:8006/",
    ),
    Question(
        name="hosts",
        text="Proxmox hosts, as NAME=ADDRESS,NAME=ADDRESS (addresses for SSH)",
        keys=(
            *("proxmox.hosts", "routers.machines.host", "balancers.machines.host"),
            *("cluster.control_planes.host", "cluster.workers.host"),
        ),
        stand_in="pve1=10.20.0.2",
        each=_HOST,
    ),
    Question(
        name="pairs",
        text="routers and balancers in pairs, on different hosts",
        keys=("routers.machines", "balancers.machines"),
        default=_several,
        choices=("yes", "no"),
    ),
    Question(
        name="management",
        text="management network",
        keys=(
            *("networks.management.cidr", "balancers.vips.management"),
            *("routers.machines.management", "balancers.machines.management"),
            *("cluster.control_planes.management", "cluster.workers.management"),
        ),
        default=Fixed("10.20.0.0/24"),
    ),
    Question(
        name="management-bridge",
        text="its bridge, or BRIDGE:VLAN",
        keys=_bridge("management"),
        default=Fixed("vmbr0"),
    ),
    Question(
        name="lan",
        text="LAN, of all machines",
        keys=(
            *("networks.lan.cidr", "routers.machines.lan", "routers.physical.lan"),
            "routers.vips.lan",
            *("balancers.machines.lan", "balancers.vips.lan"),
            *("cluster.control_planes.lan", "cluster.workers.lan"),
        ),
        default=Fixed("10.20.10.0/24"),
    ),
    Question(
        name="lan-bridge",
        text="its bridge, or BRIDGE:VLAN",
        keys=_bridge("lan"),
        default=Fixed("vmbr1"),
    ),
    Question(
        name="wan",
        text="WAN network, as the provider gave it, such as 198.51.100.0/28",
        keys=("networks.wan.cidr", "routers.machines.wan", "routers.physical.wan"),
        stand_in="198.51.100.0/28",
    ),
    Question(
        name="wan-bridge",
        text="its bridge, or BRIDGE:VLAN",
        keys=_bridge("wan"),
        default=Fixed("vmbr2"),
    ),
    Question(
        name="gateway",
        text="the provider's router on the WAN",
        keys=("networks.wan.gateway",),
        stand_in="198.51.100.1",
    ),
    Question(
        name="public-vip",
        text="public address of the service, on the WAN",
        keys=("routers.vips.wan",),
        stand_in="198.51.100.10",
    ),
    Question(
        name="sync",
        text="network of the link between the two routers",
        keys=("networks.sync.cidr", "routers.machines.sync", "routers.physical.sync"),
        default=Fixed("10.20.20.0/28"),
        when=_PAIRS,
    ),
    Question(
        name="sync-bridge",
        text="its bridge, or BRIDGE:VLAN",
        keys=_bridge("sync"),
        default=Fixed("vmbr3"),
        when=_PAIRS,
    ),
)

REST: Final = (
    Question(
        name="domain",
        text="the machines' own domain",
        keys=("networks.domain",),
        default=Fixed("cluster.internal"),
    ),
    Question(
        name="resolvers",
        text="DNS servers",
        keys=("networks.resolvers",),
        default=Fixed("1.1.1.1,9.9.9.9"),
    ),
    Question(
        name="ntp",
        text="NTP servers, or - for none",
        keys=("networks.ntp",),
        default=Fixed("time.cloudflare.com"),
    ),
    Question(
        name="pods",
        text="the pods' range",
        keys=("networks.pods",),
        default=Fixed("10.244.0.0/16"),
    ),
    Question(
        name="services",
        text="the Services' range",
        keys=("networks.services",),
        default=Fixed("10.96.0.0/16"),
    ),
    Question(
        name="first-vm-id",
        text="VM ids begin at",
        keys=(
            *("routers.machines.vm_id", "balancers.machines.vm_id"),
            *("cluster.control_planes.vm_id", "cluster.workers.vm_id"),
        ),
        default=Fixed("2001"),
        number=True,
    ),
)
