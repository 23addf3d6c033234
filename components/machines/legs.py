"""The legs of a machine: which network is which interface, with which address and which MAC."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from settings.models import MachineSpec, Networks, Segment

ORDER = ("management", "lan", "wan", "sync")
"""The fixed order of the interfaces: eth0, eth1, eth2, eth3. A leg that is absent keeps its place
free at the end only, since every machine that has a later leg has the earlier ones."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One network interface. `gateway` is set on the one leg with the default route, `gateway6` on
    that with the one of IPv6."""

    network: str
    interface: str
    address: IPv4Interface
    gateway: IPv4Address | None
    mac: str
    segment: Segment
    address6: IPv6Interface | None = None
    gateway6: IPv6Address | None = None


def mac_address(vm_id: int, leg: int) -> str:
    """A locally administered unicast address (IEEE 802, bit 0x02 of the first octet).

    02, then the VM id in four octets, then the leg: injective, so no two legs of one Proxmox
    cluster can meet, and the same after a machine is made anew.
    """
    if not 0 < vm_id < 2**32 or not 0 <= leg < 256:
        raise ValueError(f"no MAC address for leg {leg} of VM {vm_id}")
    octets = (0x02, *vm_id.to_bytes(4, "big"), leg)
    return ":".join(f"{octet:02X}" for octet in octets)


def legs(
    spec: MachineSpec,
    role: str,
    networks: Networks,
    lan_gateway: IPv4Address,
    lan_gateway6: IPv6Address | None = None,
) -> tuple[Leg, ...]:
    """The legs of one machine in their order; `KeyError` for one whose network is absent, which
    settings refuse."""
    addresses = {
        "management": spec.management,
        "lan": spec.lan,
        "wan": spec.wan,
        "sync": spec.sync,
    }
    segments: dict[str, Segment] = {
        "management": networks.management,
        "lan": networks.lan,
        "wan": networks.wan,
    }
    if networks.sync is not None:
        segments["sync"] = networks.sync
    # Without a public address of its own a router gets its way out with the VIP.
    outside = {} if networks.wan.public else {"wan": networks.wan.gateway}
    default = outside if role == "router" else {"lan": lan_gateway}
    default6 = {"wan": networks.wan.gateway6} if role == "router" else {"lan": lan_gateway6}
    found: list[Leg] = []
    for network in ORDER:
        address = addresses[network]
        if address is None:
            continue
        segment = segments[network]
        address6 = _address6(spec, network, segment)
        found.append(
            Leg(
                network=network,
                interface=f"eth{len(found)}",
                address=IPv4Interface(f"{address}/{segment.cidr.prefixlen}"),
                gateway=default.get(network),
                mac=mac_address(spec.vm_id, ORDER.index(network)),
                segment=segment,
                address6=address6,
                gateway6=None if address6 is None else default6.get(network),
            )
        )
    return tuple(found)


def _address6(spec: MachineSpec, network: str, segment: Segment) -> IPv6Interface | None:
    address = getattr(spec, f"{network}6", None)
    if address is None or segment.cidr6 is None:
        return None
    return IPv6Interface(f"{address}/{segment.cidr6.prefixlen}")
