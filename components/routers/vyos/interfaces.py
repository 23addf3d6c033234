"""Interfaces of a VyOS router, and what it is as a machine: name, resolvers, clock, sshd. Pure.

Sources: VyOS' documentation, configuration/interfaces/ethernet, configuration/service/ssh and ntp,
configuration/system/host-name, name-server and ipv6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.routers.model import Router, RoutersModel
from components.routers.vyos.section import Section, each, line, under
from settings.models import Networks

_KINDS: Final[Mapping[str, str]] = {"eth": "ethernet", "bond": "bonding", "br": "bridge"}
_HEADERS: Final = 40
"""Bytes of an IPv4 and a TCP header without options."""


def path(interface: str) -> str:
    """Where an interface is configured: a port, a bond or a bridge, or a VLAN on one (`eth1.10`).

    `StopIteration` for any other, which settings refuse.
    """
    name, _, vlan = interface.partition(".")
    kind = next(kind for prefix, kind in _KINDS.items() if name.startswith(prefix))
    return f"interfaces {kind} {name}" + (f" vif {vlan}" if vlan else "")


def section(model: RoutersModel, router: Router, networks: Networks, *, virtual: bool) -> Section:
    """Addresses of its own, the way out, MSS; the management leg keeps the address that it is
    reached by. The MTU of a `virtual` router's legs is the segments'; a physical one's is set by
    hand."""
    legs = [leg for leg in router.legs() if leg is not router.management]
    most = min(model.lan_mtu, model.wan_mtu) - _HEADERS
    owned: list[str] = []
    lines: list[str] = []
    for leg in legs:
        owned.append(f"{path(leg.interface)} address")
        lines.append(f"{path(leg.interface)} address {leg.address}")
    # What leaves is cut, so that both directions are: by the WAN, and by the LAN.
    for leg in (router.lan, router.wan):
        owned.append(f"{path(leg.interface)} ip adjust-mss")
        lines.append(f"{path(leg.interface)} ip adjust-mss {most}")
    if virtual:
        for name, leg in zip(("management", "lan", "wan", "sync"), router.legs(), strict=False):
            owned.append(f"{path(leg.interface)} mtu")
            lines.append(f"{path(leg.interface)} mtu {getattr(networks, name).mtu}")
    owned.append("protocols static route 0.0.0.0/0")
    lines.append(f"protocols static route 0.0.0.0/0 next-hop {networks.wan.gateway}")
    return Section(owned=tuple(owned), lines=tuple(lines))


def machine(router: Router, networks: Networks) -> Section:
    """sshd and the clock on the management address alone. Without `networks.ntp` the clock is as
    the router had it."""
    clock = tuple(_clock(router, networks))
    return Section(
        owned=(
            *("system host-name", "system domain-name", "system name-server"),
            "system ipv6 disable-forwarding",
            *("service ssh listen-address", "service ssh port"),
            "service ssh disable-password-authentication",
            *(("service ntp",) if clock else ()),
        ),
        lines=(
            line("system", "host-name", router.name),
            line("system", "domain-name", networks.domain),
            *each("system name-server", networks.resolvers),
            "system ipv6 disable-forwarding",
            *under(
                "service ssh",
                ("listen-address", router.management.ip),
                ("port", router.ssh_port),
                ("disable-password-authentication",),
            ),
            *clock,
        ),
    )


def _clock(router: Router, networks: Networks) -> Iterator[str]:
    if networks.ntp:
        yield from each("service ntp server", networks.ntp)
        yield f"service ntp listen-address {router.management.ip}"
